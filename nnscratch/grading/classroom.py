"""A class: hundreds of submissions, in parallel, each graded once however often it is started.

A student's results.json is written at once and last, so that it is there if and only if the
student is graded; it says on what the grade depends, so that a second start skips what is the
same. A fault of the grader leaves none.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nnscratch.files import atomic_write
from nnscratch.grading.attempts import HandedIn
from nnscratch.grading.exports import Export, read_exports
from nnscratch.grading.grade import Result, grade
from nnscratch.grading.gradebook import diagnoses, diagnoses_csv, grades_csv, items_csv
from nnscratch.grading.late import Deadline
from nnscratch.grading.page import page
from nnscratch.grading.report import Circumstances, dump, gradescope_json, identity
from nnscratch.grading.roster import Roster, matched, rows_without_roster
from nnscratch.grading.spec import Assignment, GraderFault
from nnscratch.grading.submission import Submission, submission_of

STUDENTS = "students"  # their results have a folder of their own
WORDS = {
    "assignment": "the assignment changed",
    "assignment_sha256": "the assignment changed",
    "submission_sha256": "the submission changed",
    "seed_sha256": "another secret",
    "sandbox_level": "another sandbox level",
    "circumstances": "another time, deadline or attempt",
}


@dataclass(frozen=True)
class Class:
    """What is graded, and how.

    Attributes
    ----------
    assignment : Assignment
    out : Path
        Where the results go.
    secret : str
        From which each submission's numbers are drawn.
    level : int
        The sandbox's.
    deadline : Deadline or None
    roster : Roster or None
    tell_seed : bool
        Students may learn with which numbers they were graded.
    """

    assignment: Assignment
    out: Path
    secret: str
    level: int
    deadline: Deadline | None = None
    roster: Roster | None = None
    tell_seed: bool = False

    def seed(self, submission: Submission) -> int:
        """Equal submissions get equal numbers, and a changed one others, which nobody foresees."""
        words = f"{self.secret} {self.assignment.name} {submission.sha256}"
        return int.from_bytes(hashlib.sha256(words.encode()).digest()[:16], "big")


@dataclass
class ClassResult:
    """What became of a class.

    Attributes
    ----------
    export : Export
    results : dict of str to dict or None
        results.json by student's key; None where the grader failed.
    skipped : list of str
        Whose grade was there already.
    changed : list of str
        In words, whose grade was made again, and why.
    faults : dict of str to str
        By student's key why there is no grade.
    unlisted : list of str
        Who handed in and is in no row of the roster.
    unreadable : dict of str to str
        By student's name what could not be read.
    equal : list of list of str
        Students with equal files.
    """

    export: Export
    results: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)
    unlisted: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    equal: list[list[str]] = field(default_factory=list)


def choose_secret(out: Path, given: str | None = None) -> str:
    """The class's secret: the given one, that of an earlier start, or a new one."""
    path = out / "secret.txt"
    if given is None and path.exists():
        given = path.read_text(encoding="utf-8", errors="replace").strip()
        if not given:
            raise ValueError(f"{path} is empty; remove it, and everybody is graded again")
    secret = secrets.token_hex(16) if given is None else given
    out.mkdir(parents=True, exist_ok=True)
    _write(path, f"{secret}\n".encode())
    path.chmod(0o600)
    return secret


def grade_class(
    course: Class,
    submissions: Sequence[Path],
    jobs: int = 1,
    progress: Callable[[str], None] = lambda student: None,
) -> ClassResult:
    """Grade everything in folders or zips of submissions.

    Parameters
    ----------
    course : Class
    submissions : sequence of Path
        As learning systems export them, or plain.
    jobs : int
        Submissions that are graded at the same time.
    progress : callable, optional
        Is told of each student that is done.

    Raises
    ------
    ValueError
        The results would be taken for submissions, or the path is no folder of submissions.
    OSError
        A folder cannot be read or written.
    """
    out = course.out
    for path in submissions:
        if out.resolve().is_relative_to(path.resolve()):
            raise ValueError(f"{out} is inside of {path}; write the results elsewhere")
    export = read_exports(submissions, course.assignment.starter)
    found = ClassResult(export, results={s.key: None for s in export.students})
    _ = course.assignment.checks  # a fault in items.py shows before anything is graded
    _remove_others(out, found)
    with ThreadPoolExecutor(jobs) as pool:
        tasks = {pool.submit(_one, course, s, found): s for s in export.students}
        try:
            for task in as_completed(tasks):
                student = tasks[task]
                try:
                    found.results[student.key] = task.result()
                except GraderFault as fault:
                    found.faults[student.key] = str(fault)
                progress(student.key)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    _summaries(course, found)
    return found


def _remove_others(out: Path, found: ClassResult) -> None:
    """Results of who is no longer there would be taken for grades."""
    folder = out / STUDENTS
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in found.results and (path / "report.html").is_file():
            shutil.rmtree(path)
            found.changed.append(f"{path.name}: removed, as nothing is handed in any more")


def _one(course: Class, student: HandedIn, found: ClassResult) -> dict[str, Any]:
    """The results.json of one student, from before or made now."""
    assignment, target = course.assignment, course.out / STUDENTS / student.key / "results.json"
    try:
        submission = submission_of(student.node, assignment.starter, student.name)
        seed = course.seed(submission)
        around = _circumstances(course, student, submission)
        blank = Result(assignment, submission, seed, course.level, ())
        now = identity(blank, around)
        before = _earlier(target)
        reasons: list[str] = []
        if before is not None:
            had = before["extra_data"]
            different = {key for key, value in now.items() if had.get(key) != value}
            if "submission_sha256" in different:
                different.discard("seed_sha256")  # which is drawn for the content
            reasons = [words for key, words in WORDS.items() if key in different]
            if not reasons:
                found.skipped.append(student.key)
                return before
        result = grade(assignment, submission, seed, course.level)
    except Exception as error:
        target.unlink(missing_ok=True)  # of another submission, if any
        (target.parent / "report.html").unlink(missing_ok=True)
        if isinstance(error, GraderFault):
            raise
        raise GraderFault(f"{type(error).__name__}: {error}") from error
    results = gradescope_json(result, around)
    target.parent.mkdir(parents=True, exist_ok=True)
    _write(target.parent / "report.html", page(result, around))
    _write(target, dump(results))
    if before is not None:
        why = ", ".join(dict.fromkeys(reasons))
        found.changed.append(f"{student.name}: {before['score']} -> {results['score']}, {why}")
    return results


def _circumstances(course: Class, student: HandedIn, submission: Submission) -> Circumstances:
    notes = list(submission.notes)
    if student.attempts > 1:
        notes.append(f"the newest of {student.attempts} attempts")
    days = 0
    if course.deadline is not None:
        days = course.deadline.days(student.time)
    if student.late and not days:
        notes.append("marked LATE by the learning system")
    return Circumstances(
        tuple(notes), days, course.deadline.penalty if course.deadline else 0.0, course.tell_seed
    )


def _earlier(path: Path) -> dict[str, Any] | None:
    """The results.json of an earlier start, if it is whole."""
    try:
        results = json.loads(path.read_bytes())
        whole = isinstance(results["extra_data"], dict) and isinstance(results["tests"], list)
        number = isinstance(results["score"], (int, float))
        return results if whole and number and (path.parent / "report.html").is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _summaries(course: Class, found: ClassResult) -> None:
    from nnscratch.plots.class_mistakes import plot_diagnoses

    assignment, out, students = course.assignment, course.out, found.export.students
    if course.roster is not None:
        keys, without = matched(course.roster, students)
        rows = [(row, keys.get(i, "")) for i, row in enumerate(course.roster.rows)]
        found.unlisted = [student.name for student in without]
        column = course.roster.column
    else:
        plain = rows_without_roster(students)
        rows = [(row, s.key) for row, s in zip(plain, students, strict=True)]
        column = assignment.name
    by_key = {student.key: student.name for student in students}
    found.unreadable = _unreadable(found, by_key)
    found.equal = _equal(course, found, by_key)
    counts = diagnoses(found.results)
    ordered = {item.id: counts[item.id] for item in assignment.items if item.id in counts}
    ids = [item.id for item in assignment.items]
    _write(out / "grades.csv", grades_csv(column, rows, found.results))
    _write(out / "items.csv", items_csv(ids, rows, found.results))
    _write(out / "diagnoses.csv", diagnoses_csv(ordered))
    if ordered:
        plot_diagnoses(ordered, assignment.title).savefig(out / "diagnoses.png")


def _unreadable(found: ClassResult, by_key: dict[str, str]) -> dict[str, str]:
    problems = {}
    for key, result in found.results.items():
        tests = result["tests"] if result is not None else []
        if tests and all(test["extra_data"]["diagnosis"] == "unreadable" for test in tests):
            problems[by_key[key]] = tests[0]["output"].splitlines()[1]
    return problems


def _equal(course: Class, found: ClassResult, by_key: dict[str, str]) -> list[list[str]]:
    """Who handed in the same bytes, unless it is the starter or nothing."""
    starter = Submission("", course.assignment.starter).sha256
    groups: dict[str, list[str]] = {}
    for key, result in found.results.items():
        if result is not None and by_key[key] not in found.unreadable:
            groups.setdefault(result["extra_data"]["submission_sha256"], []).append(by_key[key])
    return [sorted(g) for digest, g in groups.items() if len(g) > 1 and digest != starter]


def _write(path: Path, content: bytes) -> None:
    with atomic_write(path) as file:
        file.write(content)
