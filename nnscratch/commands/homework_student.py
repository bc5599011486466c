"""What students do: list the assignments, start one, check one's files."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from nnscratch.commands.homework_chosen import chosen_assignment, chosen_level


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

    assignment = chosen_assignment(options, options.assignment)
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
    from nnscratch.grading.grade import grade
    from nnscratch.grading.submission import read_submission

    folder = Path(options.folder)
    assignment, items = _asked_for(options, folder)
    level = chosen_level(options)
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
    if options.save:
        _save_case(result, Path(options.save))
    _tell(options, result, submission.notes)
    return 0


def _asked_for(options: argparse.Namespace, folder: Path) -> tuple[Any, list[Any]]:
    """The assignment that a folder belongs to, and the item that is to be checked alone."""
    from nnscratch.grading.start import assignment_of

    if not folder.exists():
        near = sorted(path.name for path in folder.parent.glob(f"{folder.name}_*") if path.is_dir())
        hint = f"; did you mean {near[0]}?" if near else ""
        options.parser.error(f"there is no folder {options.folder}{hint}")
    try:
        named = options.assignment
        assignment = chosen_assignment(options, named) if named else assignment_of(folder)
        items = [assignment.item(options.item)] if options.item else []
    except ValueError as error:
        options.parser.error(str(error))
    return assignment, items


def _tell(options: argparse.Namespace, result: Any, notes: tuple[str, ...]) -> None:
    import shlex

    from nnscratch.grading.report import Circumstances, dump, gradescope_json, text
    from nnscratch.grading.sandbox.protocol import escape

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal without these letters
    if options.json:
        print(dump(gradescope_json(result, Circumstances(notes, tell_seed=True))).decode())
        return
    for note in notes:
        print(escape(note))
    where = [options.folder] if options.folder != "." else []
    where += ["--assignment", options.assignment] if options.assignment else []
    print(text(result, shlex.join(where), colour=sys.stdout.isatty()))


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
