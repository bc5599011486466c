"""One submission: each item in a fresh worker, judged here.

Fail closed: points are given only where every comparison of an item was made and none failed.
"""

from __future__ import annotations

import math
import time
import traceback
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.report import Finding
from nnscratch.grading.checks import Check
from nnscratch.grading.faults import Fault, fault_of
from nnscratch.grading.sandbox.errors import SandboxError, WorkerError
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.spec import Assignment, GraderFault, Item
from nnscratch.grading.student import Student
from nnscratch.grading.submission import Submission
from nnscratch.grading.verdicts import Comparison, failing_case, judge
from nnscratch.grading.wording import CAUSES_OF_RUNS

BEYOND = 60  # seconds of wall time that a submission gets in addition to its items' limits
PATIENCE = 3  # wall time is so many times the CPU time; what others make it wait is not counted
MOST_PATIENCE = 30  # and so many times where it is: a submission may be what makes itself wait
OUTPUT = 2000  # characters of what the student's code printed that are kept


@dataclass(frozen=True)
class PartResult:
    """What became of one part of an item.

    Attributes
    ----------
    points : int
        Of the part.
    findings : tuple of Finding
        One for each name that was compared, and for what ended it.
    output : str
        What the student's code printed; not escaped.
    hypotheses : set of str
        The codes that the part's own mistakes have.
    case : mapping of str to object
        What was given in the smallest case that went wrong.
    endless, stalled : bool
        The file itself never ended; nothing came for the whole wall time.
    asked : set of str
        The student's classes and functions that the check looked at.
    """

    points: int
    findings: tuple[Finding, ...]
    output: str = ""
    hypotheses: frozenset[str] = frozenset()
    case: Mapping[str, Any] = field(default_factory=dict)
    endless: bool = False
    stalled: bool = False
    asked: frozenset[str] = frozenset()

    @property
    def failed(self) -> list[Finding]:
        return [f for f in self.findings if f.verdict == "fail"]

    @property
    def passed(self) -> bool:
        """Whether something was found right and nothing wrong."""
        return any(f.verdict == "pass" for f in self.findings) and not self.failed


@dataclass(frozen=True)
class ItemResult:
    """What became of one item: of each of its parts."""

    item: Item
    parts: tuple[PartResult, ...]

    @property
    def passed(self) -> bool:
        return all(part.passed for part in self.parts)

    @property
    def score(self) -> int:
        return sum(part.points for part in self.parts if part.passed)

    @property
    def failed(self) -> list[Finding]:
        """What is wrong, in all parts; an error that ended several is told once."""
        found = [finding for part in self.parts for finding in part.failed]
        return list(dict.fromkeys(found))

    @property
    def case(self) -> Mapping[str, Any]:
        """What was given in the smallest case of the first part that failed."""
        return next((part.case for part in self.parts if part.case), {})

    @property
    def output(self) -> str:
        return "".join(dict.fromkeys(part.output for part in self.parts))

    @property
    def code(self) -> str:
        """The first failing finding's; "" for a pass."""
        return self.failed[0].code if self.failed else ""


@dataclass(frozen=True)
class Result:
    """What became of one submission."""

    assignment: Assignment
    submission: Submission
    seed: int
    level: int
    items: tuple[ItemResult, ...]

    @property
    def score(self) -> int:
        return sum(item.score for item in self.items)

    @property
    def max_score(self) -> int:
        return self.assignment.points


def grade(
    assignment: Assignment,
    submission: Submission,
    seed: int,
    level: int,
    items: Sequence[Item] = (),
    done: Callable[[ItemResult], None] | None = None,
) -> Result:
    """Grade one submission.

    Parameters
    ----------
    assignment : Assignment
    submission : Submission
    seed : int
        All submissions of a class get the same numbers by the same seed.
    level : int
        The sandbox's.
    items : sequence of Item, optional
        Default all.
    done : callable, optional
        Is told of each item.

    Raises
    ------
    GraderFault
        Something went wrong that is not the student's fault.
    """
    budget = Budget(assignment)
    results: list[ItemResult] = []
    for item in items or assignment.items:
        parts: list[PartResult] = []
        for points, check in zip(item.parts, assignment.checks[item.id], strict=True):
            done_before = [part for result in results for part in result.parts] + parts
            task = Task(assignment, item, points, check, submission, seed, level)
            parts.append(_graded(task, done_before[-2:], budget))
        results.append(ItemResult(item, tuple(parts)))
        if done is not None:
            done(results[-1])
    return Result(assignment, submission, seed, level, tuple(results))


class Budget:
    """The wall time of a whole submission: its items' own limits, and a minute."""

    def __init__(self, assignment: Assignment) -> None:
        limits = sum(item.seconds * len(item.parts) for item in assignment.items)
        self.until = time.monotonic() + limits + BEYOND

    @property
    def left(self) -> float:
        return self.until - time.monotonic()


@dataclass(frozen=True)
class Task:
    """One part of an item, on one submission."""

    assignment: Assignment
    item: Item
    points: int
    check: Check
    submission: Submission
    seed: int
    level: int


def _graded(task: Task, before: Sequence[PartResult], budget: Budget) -> PartResult:
    if task.submission.problem:
        finding = Finding(task.item.id, "fail", "unreadable", task.submission.problem)
        return PartResult(task.points, (finding,))
    if len(before) >= 2 and all(part.endless for part in before):  # the others would take as long
        over = tuple(_end(task.item, Fault("timeout", "")))
        return replace(before[-1], points=task.points, findings=over)
    if budget.left <= 0:
        words = f"the submission used up its time, {BEYOND} s beyond the limits of its items"
        return PartResult(task.points, (Finding(task.item.id, "fail", "out_of_time", words),))
    part = _run(task, budget.left)
    if part.stalled and budget.left > 0:  # perhaps it was the machine that stood still: once more
        part = _run(task, budget.left)
    return part


def _run(task: Task, left: float) -> PartResult:
    from nnscratch.grading.sandbox.worker import Worker

    item = task.item
    limits = Limits(
        wall=PATIENCE * item.seconds,
        real=min(MOST_PATIENCE * item.seconds, max(left, 1.0)),
        cpu=math.ceil(item.seconds),
    )
    rng = np.random.default_rng([task.seed, zlib.crc32(item.id.encode())])
    comparisons: list[Comparison] = []
    ended: Fault | None = None
    try:
        files = task.check.files | task.submission.files
        with Worker(files=files, level=task.level, limits=limits) as worker:
            student = Student(worker, task.assignment.modules, task.submission.files)
            try:
                with np.errstate(all="ignore"):  # of numbers that are meant to overflow
                    for comparison in task.check(student, rng):
                        comparisons.append(comparison)
            except Fault as fault:
                ended = fault
            except WorkerError as error:
                ended = fault_of(error)
        output = worker.output
        names = task.assignment.arguments.get(task.check.target, ())
        comparisons = [comparison.renamed(names) for comparison in comparisons]
        judged = judge(comparisons, task.check.tolerance)
        flood = len(output) >= limits.output
        findings = _written(student) + judged + _end(item, ended, flood)
    except WorkerError as error:
        return PartResult(task.points, tuple(_end(item, fault_of(error))))
    except SandboxError as error:
        raise GraderFault(f"{item.id}: {error}") from error
    except Exception as error:
        raise GraderFault(f"{item.id}: {_where(error)}") from error
    if all(finding.verdict == "undecidable" for finding in findings):
        raise GraderFault(f"{item.id}: it compared nothing that can be decided")
    brought = frozenset(code for comparison in comparisons for code in comparison.mistakes)
    endless = ended is not None and ended.loading and ended.code == "timeout"
    stalled = ended is not None and ended.stalled
    failed = next((f.array for f in findings if f.verdict == "fail"), "")
    case = failing_case(comparisons, failed, task.check.tolerance)
    asked, kept = frozenset(student.asked), output[:OUTPUT]
    return PartResult(task.points, tuple(findings), kept, brought, case, endless, stalled, asked)


def _written(student: Student) -> list[Finding]:
    """What the student's code wrote to, told once."""
    return [
        Finding(what, "fail", code, explain(code, what, what)) for code, what in student.written[:1]
    ]


def _end(item: Item, fault: Fault | None, flood: bool = False) -> list[Finding]:
    if fault is None:
        return []
    message = str(fault)
    if fault.code == "timeout":  # by which clock is chance on a busy machine, and no matter
        message = f"not done within {item.seconds:g} s, the limit of the item"
    if fault.code == "timeout" and flood:
        message += f"\n{CAUSES_OF_RUNS['limit'][1]}: so much was printed that the rest is dropped"
    elif fault.code in CAUSES_OF_RUNS:
        message += f"\n{CAUSES_OF_RUNS[fault.code][1]}"
    return [Finding(item.id, "fail", fault.code, message)]


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
