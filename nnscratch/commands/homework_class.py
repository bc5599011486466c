"""What instructors do: grade a class, prove assignments sound, write Gradescope's autograder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from nnscratch.commands.homework_chosen import FAULT, chosen_assignment, chosen_level


def run_grade(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from nnscratch.grading.classroom import Class, choose_secret, grade_class
    from nnscratch.grading.late import Deadline, read_due, read_penalty
    from nnscratch.grading.roster import read_roster

    assignment = chosen_assignment(options, options.assignment)
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
    level = chosen_level(options)
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
    chosen = [chosen_assignment(options, name) for name in names] if names else assignments()
    failed = 0
    level = chosen_level(options)
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

    assignment = chosen_assignment(options, options.assignment)
    secret = secrets.token_hex(16)
    path = Path(options.out or f"{assignment.name}-gradescope.zip")
    write_autograder(assignment, path, secret, 1 if options.allow_weak_sandbox else 2)
    print(f"wrote {path}")
    return 0
