"""nnscratch homework: start and check an assignment; grade a class; prove an assignment sound."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nnscratch.commands.options import COUNT, NUMBER

STUDENTS = """\
for students:
  nnscratch homework list
  nnscratch homework start hw3            makes the folder hw3_mlp
  nnscratch homework start hw3 --notebook
  nnscratch homework check hw3_mlp        as often as you like
  nnscratch homework check hw3_mlp --item linear_gradient --seed 7

for instructors:
  nnscratch homework grade hw3 submissions -j 8 --out grades
  nnscratch homework prove hw3
  nnscratch homework gradescope hw3

exit status: 0 done, 1 the job failed, 2 wrong usage, 3 a fault of the grader, never a grade
"""
FAULT = 3
RAW = argparse.RawDescriptionHelpFormatter


def register(commands: Any) -> None:
    """Add the command's parser to the command line's."""
    homework = commands.add_parser(
        "homework",
        help="start, check and grade homework",
        description="Assignments whose checker says which mistake it was.",
        epilog=STUDENTS,
        formatter_class=RAW,
    )
    homework.set_defaults(command=lambda _: homework.error("which command?"), parser=homework)
    homework.add_argument(
        "--homework",
        type=_own_assignments,
        metavar="DIR",
        help="a folder of further assignments (or the variable NNSCRATCH_HOMEWORK)",
    )
    kinds = homework.add_subparsers(title="commands", metavar="COMMAND")
    _for_students(kinds)
    _for_instructors(kinds)


def _own_assignments(folder: str) -> str:
    """Let the assignments of a folder be known to everything that this process does."""
    known = os.environ.get("NNSCRATCH_HOMEWORK")
    os.environ["NNSCRATCH_HOMEWORK"] = os.pathsep.join([folder, *([known] if known else [])])
    return folder


def _for_students(kinds: Any) -> None:
    listing = kinds.add_parser("list", help="which assignments there are")
    listing.set_defaults(command=run_list, parser=listing)

    start = kinds.add_parser("start", help="get an assignment's files")
    start.set_defaults(command=run_start, parser=start)
    start.add_argument("assignment", metavar="NAME", help="such as hw3")
    start.add_argument("folder", metavar="DIR", nargs="?", help="default the assignment's name")
    start.add_argument("--notebook", action="store_true", help="notebooks instead of .py files")

    check = kinds.add_parser("check", help="check your work, and hear what is wrong")
    check.set_defaults(command=_told(run_check), parser=check)
    check.add_argument("folder", metavar="DIR", nargs="?", default=".", help="default this one")
    check.add_argument("--item", metavar="ID", help="only this item")
    check.add_argument("--seed", type=NUMBER, metavar="S", default=0, help="default 0")
    check.add_argument("--assignment", metavar="NAME", help="where the folder does not tell")
    check.add_argument("--save", metavar="FILE.npz", help="write what the first failure was given")
    check.add_argument("--json", action="store_true", help="print results.json instead of words")
    check.add_argument(
        "--allow-weak-sandbox", action="store_true", help="run another user's code below level 2"
    )
    _sandbox_option(check)


def _for_instructors(kinds: Any) -> None:
    grade = kinds.add_parser("grade", help="grade a class")
    grade.set_defaults(command=_told(run_grade), parser=grade)
    grade.add_argument("assignment", metavar="NAME", help="such as hw3")
    grade.add_argument(
        "submissions",
        nargs="+",
        metavar="SUBMISSIONS",
        help="export of Canvas, Moodle, Gradescope or Blackboard, zipped or not, or a plain folder",
    )
    grade.add_argument("--out", metavar="DIR", required=True, help="where the results go")
    _jobs_option(grade)
    grade.add_argument("--roster", metavar="CSV", help="the gradebook, as Canvas exports it")
    grade.add_argument("--due", metavar="TIME", help="such as 2026-10-01T23:59, local time")
    grade.add_argument("--late-penalty", metavar="P", help="such as 10%%/day, of the score")
    grade.add_argument("--secret-file", metavar="F", help="holds the secret (default: drawn once)")
    grade.add_argument(
        "--tell-seed", action="store_true", help="tell students their seeds, after the deadline"
    )
    grade.add_argument(
        "--allow-weak-sandbox", action="store_true", help="run strangers' code below level 2"
    )
    _sandbox_option(grade)

    prove = kinds.add_parser("prove", help="show that assignments are sound (needs a checkout)")
    prove.set_defaults(command=_told(run_prove), parser=prove)
    prove.add_argument("assignments", metavar="NAME", nargs="*", help="default all")
    prove.add_argument(
        "--write-starter", action="store_true", help="first make starter/ from solution/"
    )
    prove.add_argument("--seeds", type=COUNT, metavar="N", default=20, help="default 20")
    _jobs_option(prove)
    _sandbox_option(prove)

    scope = kinds.add_parser("gradescope", help="write the autograder zip for Gradescope")
    scope.set_defaults(command=run_gradescope, parser=scope)
    scope.add_argument("assignment", metavar="NAME", help="such as hw3")
    scope.add_argument("--out", metavar="FILE", help="default NAME-gradescope.zip")
    scope.add_argument(
        "--allow-weak-sandbox", action="store_true", help="grade there below level 2 too"
    )


def _jobs_option(parser: argparse.ArgumentParser) -> None:
    cores = os.cpu_count() or 1
    parser.add_argument(
        "-j", "--jobs", type=COUNT, metavar="N", default=cores, help="at a time (default: cores)"
    )


def _sandbox_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sandbox", type=int, choices=range(4), metavar="LEVEL", help="0 to 3 (default: the best)"
    )


def run_list(options: argparse.Namespace) -> int:
    from nnscratch.grading.spec import assignments

    found = assignments()
    width = max((len(a.name) for a in found), default=0)
    for assignment in found:
        count = f"{len(assignment.items)} items, {assignment.points} points"
        print(f"{assignment.name:<{width}}  {assignment.title} ({count})")
    return 0


def run_start(options: argparse.Namespace) -> int:
    from nnscratch.grading.start import start

    assignment = _assignment(options, options.assignment)
    folder = Path(options.folder or assignment.name)
    written, missing = start(assignment, folder, options.notebook)
    print(f"{assignment.title}: {', '.join(written)} in {folder}")
    if missing:
        print(f"no README.html: {missing}")
    best = "README.md" if missing else "README.html"
    read = next((name for name in written if name.endswith(".ipynb")), best)
    print(f"read {folder / read}, then: nnscratch homework check {folder}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    import shlex

    from nnscratch.grading.grade import grade
    from nnscratch.grading.report import Circumstances, dump, gradescope_json, text
    from nnscratch.grading.sandbox.protocol import escape
    from nnscratch.grading.start import assignment_of
    from nnscratch.grading.submission import read_submission

    folder = Path(options.folder)
    if not folder.exists():
        near = sorted(path.name for path in folder.parent.glob(f"{folder.name}_*") if path.is_dir())
        hint = f"; did you mean {near[0]}?" if near else ""
        options.parser.error(f"there is no folder {options.folder}{hint}")
    if options.assignment:
        assignment = _assignment(options, options.assignment)
    else:
        try:
            assignment = assignment_of(folder)
        except ValueError as error:
            options.parser.error(str(error))
    try:
        items = [assignment.item(options.item)] if options.item else []
    except ValueError as error:
        options.parser.error(str(error))
    level = _level(options)
    if level < 2 and _is_stranger_s(folder) and not options.allow_weak_sandbox:
        raise ValueError(
            f"{folder} belongs to another user, and the sandbox reaches level {level} here, where "
            "its code could read your files; run it as root in a container, or add "
            "--allow-weak-sandbox"
        )
    submission = read_submission(folder, assignment.starter)
    if submission.problem:
        raise ValueError(f"{folder}: {submission.problem}")
    result = grade(assignment, submission, options.seed, level, items)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without these letters
    if options.save:
        _save_case(result, Path(options.save))
    if options.json:
        print(
            dump(gradescope_json(result, Circumstances(submission.notes, tell_seed=True))).decode()
        )
        return 0
    for note in submission.notes:
        print(escape(note))
    where = [options.folder] if options.folder != "." else []
    where += ["--assignment", options.assignment] if options.assignment else []
    print(text(result, shlex.join(where), colour=sys.stdout.isatty()))
    return 0


def _is_stranger_s(folder: Path) -> bool:
    """Whether the folder, or anything right in it, is another user's."""
    if not hasattr(os, "getuid"):
        return False
    paths = [folder, *(folder.iterdir() if folder.is_dir() else ())]
    return any(path.lstat().st_uid != os.getuid() for path in paths)


def _save_case(result: Any, path: Path) -> None:
    """Write what the first item that failed was given, for np.load."""
    import numpy as np

    case = next((item.case for item in result.items if item.case), None)
    if case is None:
        print("nothing to save: no item failed on numbers", file=sys.stderr)
        return
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in case.items()}
    np.savez(path, **arrays)
    print(f"wrote {path}: {', '.join(case)}", file=sys.stderr)


def run_grade(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from nnscratch.grading.classroom import Class, choose_secret, grade_class
    from nnscratch.grading.late import Deadline, read_due, read_penalty
    from nnscratch.grading.roster import read_roster

    assignment = _assignment(options, options.assignment)
    folders, out = [Path(name) for name in options.submissions], Path(options.out)
    for folder in folders:
        if not folder.exists():
            options.parser.error(f"there is no folder or zip {folder}")
    if options.late_penalty and not options.due:
        options.parser.error("--late-penalty needs --due")
    try:
        due = read_due(options.due) if options.due else None
        penalty = read_penalty(options.late_penalty) if options.late_penalty else 0.0
    except ValueError as error:
        options.parser.error(str(error))
    level = _level(options)
    if level < 2 and not options.allow_weak_sandbox:
        raise ValueError(
            f"the sandbox reaches level {level} here, and grading strangers' code takes 2; "
            "run it as root in a container, or add --allow-weak-sandbox"
        )
    roster = None
    if options.roster:
        roster = read_roster(Path(options.roster), assignment.name, assignment.title)
    given = Path(options.secret_file).read_text().strip() if options.secret_file else None
    course = Class(
        assignment,
        out,
        choose_secret(out, given),
        level,
        Deadline(due, penalty) if due else None,
        roster,
        options.tell_seed,
    )
    with tqdm(unit="student", disable=None) as bar:
        found = grade_class(course, folders, options.jobs, lambda student: bar.update() and None)
    _tell_class(found, level, out)
    return FAULT if found.faults else 0


def _tell_class(found: Any, level: int, out: Path) -> None:
    """What became of a class; names come from strangers."""
    import statistics

    from nnscratch.grading.sandbox.protocol import escape

    for words in sorted(found.changed):
        print("graded again:", escape(words))
    for name in sorted(found.unlisted):
        print(f"not in the roster: {escape(name)}")
    for names in sorted(found.equal):
        print("equal files:", escape(", ".join(names)))
    for name, why in sorted(found.unreadable.items()):
        print(f"could not be read: {escape(name)}: {escape(why)}")
    for words in sorted(found.export.junk):
        print("left out:", escape(words))
    for student, why in sorted(found.faults.items()):
        print(f"nnscratch: error: no grade for {escape(student)}: {escape(why)}", file=sys.stderr)
    scores = [r["score"] for r in found.results.values() if r is not None]
    print(f"{found.export.system} submissions, sandbox level {level}")
    print(f"{len(scores)} graded, {len(found.skipped)} of them before")
    if scores:
        print(f"mean {statistics.mean(scores):.1f}, median {statistics.median(scores):g}")
    print(f"wrote {out}: grades.csv, items.csv, diagnoses.csv, students/NAME/report.html")


def run_prove(options: argparse.Namespace) -> int:
    from nnscratch.grading.prove import prove
    from nnscratch.grading.spec import assignments, read
    from nnscratch.grading.starter import write_starters

    names = options.assignments
    chosen = [_assignment(options, name) for name in names] if names else assignments()
    failed = 0
    level = _level(options)
    for assignment in chosen:
        if options.write_starter:
            for path in write_starters(assignment.folder):
                print(f"wrote {path}")
            assignment = read(assignment.folder)
        proof = prove(assignment, options.seeds, level, options.jobs, bar=True)
        print(proof.text())
        failed += not proof.ok
    return 1 if failed else 0


def run_gradescope(options: argparse.Namespace) -> int:
    import secrets

    from nnscratch.grading.gradescope import write_autograder

    assignment = _assignment(options, options.assignment)
    secret = secrets.token_hex(16)
    path = Path(options.out or f"{assignment.name}-gradescope.zip")
    write_autograder(assignment, path, secret, 1 if options.allow_weak_sandbox else 2)
    print(f"wrote {path}")
    return 0


def _assignment(options: argparse.Namespace, name: str) -> Any:
    from nnscratch.grading.spec import find

    try:
        return find(name)
    except ValueError as error:
        options.parser.error(str(error))


def _level(options: argparse.Namespace) -> int:
    """The sandbox's level: the best that this machine gives, or a lower one that was asked for."""
    from nnscratch.grading.sandbox.slot import detect_level

    detected = detect_level()
    if options.sandbox is None:
        return detected.level
    if options.sandbox > detected.level:
        reasons = "; ".join(detected.reasons)
        raise ValueError(f"sandbox level {options.sandbox} is not to be had here: {reasons}")
    return int(options.sandbox)


def _told(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """The command, where a fault of the grader is status 3 and one line."""

    def command(options: argparse.Namespace) -> int:
        try:
            return run(options)
        except RuntimeError as error:
            from nnscratch.grading.sandbox.errors import SandboxError
            from nnscratch.grading.spec import GraderFault

            if not isinstance(error, (GraderFault, SandboxError)):
                raise
            print("nnscratch: fault of the grader:", " ".join(str(error).split()), file=sys.stderr)
            return FAULT

    return command
