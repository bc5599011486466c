"""From the comparisons of an item to what is wrong: one finding for each name that was compared.

The hypotheses are those of `nnscratch.gradient_check`, joined by the ones that an item brings. A
cause is named only where exactly one fits all comparisons of a name; else the values differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.mistakes.naming import (
    agrees,
    candidates,
    most_telling,
    several,
)
from nnscratch.gradient_check.report import Finding
from nnscratch.grading.wording import lines_of, other_dtype, words_of

TOLERANCE = 1e-6  # share of the largest element; everything is computed in float64


@dataclass(frozen=True)
class Mistake:
    """What a certain mistake would give, and its cause in words.

    Attributes
    ----------
    value : array or sequence of arrays
        Several where the mistake can be made in several ways.
    cause, remedy : str
        Needed for a code that `gradient_check.CAUSES` does not know.
    """

    value: Any
    cause: str = ""
    remedy: str = ""

    @property
    def values(self) -> list[np.ndarray]:
        """The arrays, in float64."""
        several = isinstance(self.value, (list, tuple))
        return [np.asarray(v, np.float64) for v in (self.value if several else [self.value])]


@dataclass(frozen=True)
class Named(Context):
    """A context under the name that the task uses."""

    shown: str = ""

    @property
    def name(self) -> str:
        return self.shown or super().name


@dataclass(frozen=True)
class Comparison:
    """One array of a student beside the right one.

    Attributes
    ----------
    name : str
        As the task writes it. All comparisons of one name are judged together.
    got : object
        Whatever came back.
    expected : array of float64
        NaN where nothing can be said, as at a kink.
    context : Context
        The arrays around it.
    mistakes : mapping of str to Mistake
        The item's own hypotheses by their codes.
    late : callable or None
        Gives further hypotheses, by code, that are worth their time only where values differ.
    tolerance : float or None
        Share of the largest element by which they may differ; None for the item's.
    claim : Finding or None
        A verdict that is no comparison of numbers.
    otherwise : tuple of str
        (code, cause and remedy) of an array that differs, whatever it holds: what is wrong is
        what was done before. It is told only where nothing else is wrong.
    case : mapping of str to object
        What the student's code was given, by the names of the task.
    """

    name: str
    got: Any
    expected: np.ndarray
    context: Context = field(default_factory=Context)
    mistakes: Mapping[str, Mistake] = field(default_factory=dict)
    late: Callable[[], Mapping[str, Sequence[np.ndarray]]] | None = None
    tolerance: float | None = None
    claim: Finding | None = None
    otherwise: tuple[str, str] | None = None
    case: Mapping[str, Any] = field(default_factory=dict)

    def within(self, tolerance: float) -> Comparison:
        """The comparison with that tolerance, unless it has one of its own."""
        tolerance = tolerance if self.tolerance is None else self.tolerance
        return replace(self, context=replace(self.context, tolerance=tolerance))

    def renamed(self, names: Sequence[str]) -> Comparison:
        """The comparison with these names for the inputs in its case, if they are so many."""
        inputs = [name for name in self.case if name == "x" or name.startswith("input_")]
        if len(inputs) != len(names):
            return self
        said = dict(zip(inputs, names, strict=True))
        return replace(self, case={said.get(name, name): a for name, a in self.case.items()})


def judge(comparisons: Sequence[Comparison], tolerance: float = TOLERANCE) -> list[Finding]:
    """One finding for each name, in the order in which they were first compared.

    Examples
    --------
    >>> expected = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> one = np.ones(3)
    >>> [finding] = judge([Comparison("y", -expected, expected), Comparison("y", -one, one)])
    >>> finding.array, finding.verdict, finding.code
    ('y', 'fail', 'sign')
    """
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(comparison.name, []).append(comparison.within(tolerance))
    found = [(_judge(group), group[0].otherwise) for group in groups.values()]
    wrong = any(finding.verdict == "fail" and not otherwise for finding, otherwise in found)
    return [finding for finding, otherwise in found if not (wrong and otherwise)]


def _judge(group: Sequence[Comparison]) -> Finding:
    name = group[0].name
    claims = [c.claim for c in group if c.claim is not None]
    failed = [claim for claim in claims if claim.verdict == "fail"]
    if failed:
        return failed[0]
    compared = [c for c in group if c.claim is None]
    wrong = [c for c in compared if not _agrees(c)]
    if not wrong:
        if compared and all(np.isnan(c.expected).all() and c.expected.size for c in compared):
            return Finding(name, "undecidable", "kink", explain("kink", name))
        return Finding(name, "pass")
    shown = min(wrong, key=lambda c: np.size(c.expected))
    if shown.otherwise is not None:
        code, words = shown.otherwise
        return Finding(name, "fail", code, "\n".join([*lines_of(shown), words]))
    fitting = set(_suspects(wrong[0]))
    for comparison in compared:
        if not fitting:
            break
        fitting &= set(_suspects(comparison))
    codes = {code for code, _ in fitting}
    own = codes & {code for c in group for code in c.mistakes}
    if own:  # the item's own words say more than the general ones for the same numbers
        codes = own
    codes = most_telling(codes)
    codes = codes - {"wrong_derivative"} or codes  # the vaguest: another of them says more
    if sum(np.size(c.expected) for c in compared) == 1:
        codes = codes - {"factor"}  # a single number is some multiple of any other
    if len(codes) != 1:
        differs = np.shape(shown.got) != shown.expected.shape
        code, what = ("shape" if differs else "values_differ"), ""
    else:
        (code,) = codes
        what = min(what for found, what in fitting if found == code)
    words = words_of(group, code, name, what) + several(codes)
    return Finding(name, "fail", code, "\n".join([*lines_of(shown), words]))


def failing_case(comparisons: Sequence[Comparison], name: str, tolerance: float) -> dict[str, Any]:
    """What was given in the smallest case of that name in which the student's array is wrong."""
    named = [c.within(tolerance) for c in comparisons if c.name == name and c.claim is None]
    wrong = [c for c in named if c.case and not _agrees(c)]
    if not wrong:
        return {}
    shown = min(wrong, key=lambda c: np.size(c.expected))
    return {**shown.case, "expected": shown.expected}


def _agrees(comparison: Comparison) -> bool:
    if other_dtype(comparison):
        return False
    return agrees(comparison.got, comparison.expected, comparison.context)


def _suspects(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """(code, what exactly) of every hypothesis that fits one comparison."""
    context = comparison.context
    if dtype := other_dtype(comparison):
        yield "dtype", f"{dtype} where everything else is float64"
        return
    alternatives: dict[str, list[np.ndarray]] = {
        code: list(arrays) for code, arrays in context.alternatives.items()
    }
    for code, arrays in (comparison.late() if comparison.late else {}).items():
        alternatives.setdefault(code, []).extend(arrays)
    for code, mistake in comparison.mistakes.items():
        alternatives.setdefault(code, []).extend(mistake.values)
    context = replace(context, alternatives=alternatives)
    told_by_number = {"one_sample", "wrong_place"}
    for code, what in candidates(comparison.got, comparison.expected, context):
        # which of several ways it was differs from call to call
        yield code, "" if code in alternatives and code not in told_by_number else what
