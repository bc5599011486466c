"""One submission: each item in a fresh worker, judged here.

Fail closed: points are given only where every comparison of an item was made and none failed.
"""

from __future__ import annotations

import math
import time
import traceback
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.report import Finding
from nnscratch.grading.sandbox.errors import SandboxError, WorkerError
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.spec import Assignment, GraderFault, Item
from nnscratch.grading.student import Fault, Student, fault_of
from nnscratch.grading.submission import Submission
from nnscratch.grading.verdicts import CAUSES_OF_RUNS, Comparison, judge

PATIENCE = 3  # wall time is so many times the CPU time: a busy machine is nobody's mistake
OUTPUT = 2000  # characters of what the student's code printed that are kept


@dataclass(frozen=True)
class ItemResult:
    """What became of one item.

    Attributes
    ----------
    item : Item
    findings : tuple of Finding
        One for each name that was compared, and for what ended the item.
    output : str
        What the student's code printed; not escaped.
    seconds : float
    """

    item: Item
    findings: tuple[Finding, ...]
    output: str = ""
    seconds: float = 0.0
    hypotheses: frozenset[str] = frozenset()
    endless: bool = False
    stalled: bool = False

    @property
    def passed(self) -> bool:
        """Whether something was found right and nothing wrong."""
        return any(f.verdict == "pass" for f in self.findings) and not self.failed

    @property
    def score(self) -> int:
        return self.item.points if self.passed else 0

    @property
    def failed(self) -> list[Finding]:
        return [f for f in self.findings if f.verdict == "fail"]

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
    results: list[ItemResult] = []
    for item in items or assignment.items:
        if len(results) >= 2 and all(result.endless for result in results[-2:]):
            # the others would take as long
            over = tuple(_end(item, Fault("timeout", "")))
            results.append(replace(results[-1], item=item, findings=over))
        else:
            results.append(_grade_item(assignment, item, submission, seed, level))
            if results[-1].stalled:  # perhaps it was the machine that stood still: once more
                results[-1] = _grade_item(assignment, item, submission, seed, level)
        if done is not None:
            done(results[-1])
    return Result(assignment, submission, seed, level, tuple(results))


def _grade_item(
    assignment: Assignment, item: Item, submission: Submission, seed: int, level: int
) -> ItemResult:
    from nnscratch.grading.sandbox.worker import Worker

    if submission.problem:
        return ItemResult(item, (Finding(item.id, "fail", "unreadable", submission.problem),))
    function = assignment.functions[item.id]
    files = assignment.given(item) | submission.files
    limits = Limits(wall=PATIENCE * item.timeout, cpu=math.ceil(item.timeout))
    rng = np.random.default_rng([seed, zlib.crc32(item.id.encode())])
    comparisons: list[Comparison] = []
    ended: Fault | None = None
    began = time.monotonic()
    try:
        with Worker(files=files, level=level, limits=limits) as worker:
            student = Student(worker, assignment.modules, submission.files, item.given)
            try:
                for comparison in function(student, rng):
                    comparisons.append(comparison)
            except Fault as fault:
                ended = fault
            except WorkerError as error:
                ended = fault_of(error)
            output = worker.output
        findings = _written(student) + judge(comparisons, item.tolerance) + _end(item, ended)
    except WorkerError as error:
        return ItemResult(item, tuple(_end(item, fault_of(error))))
    except SandboxError as error:
        raise GraderFault(f"{item.id}: {error}") from error
    except Exception as error:
        raise GraderFault(f"{item.id}: {_where(error)}") from error
    if all(finding.verdict == "undecidable" for finding in findings):
        raise GraderFault(f"{item.id}: it compared nothing that can be decided")
    seconds = time.monotonic() - began
    brought = frozenset(code for comparison in comparisons for code in comparison.mistakes)
    endless = ended is not None and ended.loading and ended.code == "timeout"
    stalled = ended is not None and ended.stalled
    return ItemResult(item, tuple(findings), output[:OUTPUT], seconds, brought, endless, stalled)


def _written(student: Student) -> list[Finding]:
    """What the student's code wrote to, told once."""
    return [
        Finding(what, "fail", code, explain(code, what, what)) for code, what in student.written[:1]
    ]


def _end(item: Item, fault: Fault | None) -> list[Finding]:
    if fault is None:
        return []
    message = str(fault)
    if fault.code == "timeout":  # by which clock is chance on a busy machine, and no matter
        message = f"not done within {item.timeout:g} s, the limit of the item"
    if fault.code in CAUSES_OF_RUNS:
        message += f"\n{CAUSES_OF_RUNS[fault.code][1]}"
    return [Finding(item.id, "fail", fault.code, message)]


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})"
