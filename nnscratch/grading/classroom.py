"""A class: hundreds of submissions, in parallel, each graded once however often it is started.

A student's results.json is written at once and last, so that it is there if and only if the
student is graded; it says on what the grade depends, so that a second start skips what is the
same. A fault of the grader leaves none.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnscratch.files import atomic_write
from nnscratch.grading.grade import Result, grade
from nnscratch.grading.gradebook import diagnoses, diagnoses_csv, grades_csv
from nnscratch.grading.report import dump, gradescope_json, identity, page
from nnscratch.grading.spec import Assignment, GraderFault
from nnscratch.grading.submission import read_submission, submissions

WORDS = {
    "assignment": "the assignment changed",
    "assignment_sha256": "the assignment changed",
    "submission_sha256": "the submission changed",
    "seed": "another seed",
    "sandbox_level": "another sandbox level",
}


@dataclass
class ClassResult:
    """What became of a class.

    Attributes
    ----------
    results : dict of str to dict or None
        results.json by student; None where the grader failed.
    skipped : list of str
        Whose grade was there already.
    changed : list of str
        In words, whose grade was made again, and why.
    faults : dict of str to str
        By student why there is no grade.
    """

    results: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


def choose_seed(out: Path, given: int | None) -> int:
    """The class's seed: the given one, that of an earlier start, or one nobody can foresee."""
    path = out / "seed.txt"
    if given is None and path.exists():
        given = read_seed(path)
    seed = secrets.randbelow(2**32) if given is None else given
    out.mkdir(parents=True, exist_ok=True)
    _write(path, f"{seed}\n".encode())
    return seed


def read_seed(path: Path) -> int:
    """The whole number in a file.

    Raises
    ------
    ValueError
        There is none.
    """
    words = path.read_text(encoding="utf-8", errors="replace").strip()
    if not (words.isascii() and words.isdigit()):
        raise ValueError(f"{path} holds {words[:40]!r}, expected a whole number as the seed")
    return int(words)


def grade_class(
    assignment: Assignment,
    folder: Path,
    out: Path,
    seed: int,
    level: int,
    jobs: int = 1,
    progress: Callable[[str], None] = lambda student: None,
) -> ClassResult:
    """Grade everything in a folder of submissions.

    Parameters
    ----------
    assignment : Assignment
    folder, out : Path
        Where the submissions are, and where the results go.
    seed, level : int
        As in `grade`.
    jobs : int
        Submissions that are graded at the same time.
    progress : callable, optional
        Is told of each student that is done.

    Raises
    ------
    ValueError
        `out` is inside of `folder`: its results would be taken for submissions.
    OSError
        A folder cannot be read or written.
    """
    if out.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{out} is inside of {folder}; write the results elsewhere")
    handed_in = submissions(folder)
    found = ClassResult(results=dict.fromkeys(handed_in))
    _ = assignment.checks  # a fault in items.py shows before anything is graded
    with ThreadPoolExecutor(jobs) as pool:
        tasks = {
            pool.submit(_one, assignment, student, path, out, seed, level, found): student
            for student, path in handed_in.items()
        }
        try:
            for task in as_completed(tasks):
                student = tasks[task]
                try:
                    found.results[student] = task.result()
                except GraderFault as fault:
                    found.faults[student] = str(fault)
                progress(student)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    _summaries(assignment, found, out)
    return found


def _one(
    assignment: Assignment,
    student: str,
    path: Path,
    out: Path,
    seed: int,
    level: int,
    found: ClassResult,
) -> dict[str, Any]:
    """The results.json of one student, from before or made now."""
    try:
        submission = read_submission(path, assignment.starter, student)
    except Exception as error:  # whatever it is, the others are graded
        raise GraderFault(f"{path.name}: {type(error).__name__}: {error}") from error
    target = out / student / "results.json"
    before = _earlier(target)
    now = identity(Result(assignment, submission, seed, level, ()))
    reasons: list[str] = []
    if before is not None:
        had = before["extra_data"]
        reasons = [WORDS[key] for key, value in now.items() if had.get(key) != value]
        if not reasons:
            found.skipped.append(student)
            return before
    try:
        result = grade(assignment, submission, seed, level)
    except GraderFault:
        target.unlink(missing_ok=True)  # of another submission, if any
        raise
    results = gradescope_json(result)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target.parent / "report.html", page(result))
    _write(target, dump(results))
    if before is not None:
        why = ", ".join(dict.fromkeys(reasons))
        found.changed.append(f"{student}: {before['score']} -> {result.score}, {why}")
    return results


def _earlier(path: Path) -> dict[str, Any] | None:
    """The results.json of an earlier start, if it is whole."""
    try:
        results = json.loads(path.read_bytes())
        whole = isinstance(results["extra_data"], dict) and isinstance(results["tests"], list)
        return results if whole and isinstance(results["score"], int) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _summaries(assignment: Assignment, found: ClassResult, out: Path) -> None:
    from nnscratch.plots.class_mistakes import plot_diagnoses

    counts = diagnoses(found.results)
    ordered = {item.id: counts[item.id] for item in assignment.items if item.id in counts}
    _write(out / "grades.csv", grades_csv(assignment.name, found.results))
    _write(out / "diagnoses.csv", diagnoses_csv(ordered))
    if ordered:
        plot_diagnoses(ordered, assignment.title).savefig(out / "diagnoses.png")


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as file:
        file.write(content)
