"""From the comparisons of an item to what is wrong: one finding for each name that was compared.

The hypotheses are those of `nnscratch.gradient_check`, joined by the ones that an item brings. A
cause is named only where exactly one fits all comparisons of a name; else the values differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.mistakes.causes import CAUSES, explain
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.mistakes.naming import (
    agrees,
    candidates,
    difference,
    most_telling,
    several,
)
from nnscratch.gradient_check.report import Finding

TOLERANCE = 1e-6  # share of the largest element; everything is computed in float64
SHOWN = 42  # elements up to which an array is shown whole

# Codes of the run itself, beside those of the numbers: (what is wrong, what to do)
CAUSES_OF_RUNS = {
    "timeout": ("it took too long", "look for an endless loop, or a loop where an array would do"),
    "crashed": ("the process ended", "no exit, no signals; Python errors are told as errors"),
    "limit": ("it wrote too much", "print less, write no files"),
    "too_large": ("what came back is too large", "compare its shape with the task"),
    "numeric_derivative": (
        "backward ran forward again and again: a numeric derivative",
        "the task asks for the formula",
    ),
    "protocol": ("the process sent bytes that are no answer", "only return values count"),
}
# The same mistakes in a value instead of a gradient, where the words of gradients do not fit
CAUSES_OF_VALUES = {
    "missing": ("there is no {g}", "write it, under the name that the task gives"),
    "none": ("{g} is None", "end the function with `return`"),
    "dtype": ("{g} has dtype {what}", "compute in float64, the dtype of the input"),
    "sum_over_batch": ("{g} still has the batch axis", "sum over the batch"),
    "broadcast_not_summed": ("{g} has more elements than it should", "a sum is missing"),
    "shape": ("{g} has another shape than it should", "compare the shapes in the task"),
    "factor_n": ("{g} is too large by {what}", "divide by it where the task says mean"),
    "factor_1_n": ("{g} is too small by {what}", "layers sum, only losses average, and once"),
    "factor_2": ("{g} is twice what it should be", "a factor of one half was lost"),
    "factor_half": ("{g} is half of what it should be", "a factor of one half too many"),
    "transposed": ("{g} is the transpose of what it should be", "write the shapes beside it"),
    "stale_cache": ("{g} belongs to an earlier call", "compute it from this call's input"),
    "accumulated": ("{g} adds up over calls", "start from zero in every call"),
    "swapped": ("this is {what}", "two results changed places: mind the order of the return"),
}
# What is wrong with a number or a gradient alike, where the checker's words fit an array less well
CAUSES_OF_BOTH = {
    "non_finite": (
        "{g} is NaN or infinite where the true value is finite",
        "let e^x never get a large positive x: write an activation with e^-|x|, and in a sum of "
        "exponentials subtract the maximum of each sample first",
    ),
}
WHOLE = (
    "{g} has dtype {what}: whole numbers",
    "they round what is written into them; np.zeros(x.shape) is float64, np.zeros_like(x) of "
    "whole numbers is not",
)


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
        return Finding(name, "fail", code, "\n".join([*_shown(shown), words]))
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
    words = _words(group, code, name, what) + several(codes)
    return Finding(name, "fail", code, "\n".join([*_shown(shown), words]))


def failing_case(comparisons: Sequence[Comparison], name: str, tolerance: float) -> dict[str, Any]:
    """What was given in the smallest case of that name in which the student's array is wrong."""
    named = [c.within(tolerance) for c in comparisons if c.name == name and c.claim is None]
    wrong = [c for c in named if c.case and not _agrees(c)]
    if not wrong:
        return {}
    shown = min(wrong, key=lambda c: np.size(c.expected))
    return {**shown.case, "expected": shown.expected}


def _agrees(comparison: Comparison) -> bool:
    if _other_dtype(comparison):
        return False
    return agrees(comparison.got, comparison.expected, comparison.context)


def _other_dtype(comparison: Comparison) -> str:
    """The dtype where the result is less precise than what it was computed from."""
    dtype = getattr(comparison.got, "dtype", None)
    return str(dtype) if dtype is not None and dtype.kind == "f" and dtype.itemsize < 8 else ""


def _suspects(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """(code, what exactly) of every hypothesis that fits one comparison."""
    context = comparison.context
    if dtype := _other_dtype(comparison):
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


def _words(group: Sequence[Comparison], code: str, name: str, what: str) -> str:
    for comparison in group:
        mistake = comparison.mistakes.get(code)
        if mistake is not None and mistake.cause:
            return f"{mistake.cause}: {mistake.remedy}" if mistake.remedy else mistake.cause
    if code == "dtype" and any(np.asarray(c.got).dtype.kind in "iub" for c in group):
        return ": ".join(WHOLE).format(g=name, what=what)
    if code in CAUSES_OF_BOTH:
        return ": ".join(CAUSES_OF_BOTH[code]).format(g=name)
    value = not name.startswith("d")
    if value and code in CAUSES_OF_VALUES:
        cause, remedy = CAUSES_OF_VALUES[code]
        return f"{cause}: {remedy}".format(g=name, what=what)
    return explain(code, name, what).replace(": : ", ": ")  # with nothing exact to say


def _shown(comparison: Comparison) -> list[str]:
    """Got and expected: the worst element, and both arrays where they are small."""
    got, expected = comparison.got, comparison.expected
    if _other_dtype(comparison):
        return []
    try:
        received = np.asarray(got, np.float64)
    except (TypeError, ValueError):
        return [difference(got, expected, comparison.context)]
    if got is not None and received.shape == expected.shape == ():
        digits = next((d for d in (6, 10, 14) if f"{received:.{d}g}" != f"{expected:.{d}g}"), 17)
        words = f"{comparison.name} is {received:.{digits}g}, expected {expected:.{digits}g}"
        return [words, *_inputs(comparison)]
    lines = [difference(got, expected, comparison.context)]
    got = received
    fits = all(1 < a.size <= SHOWN and a.ndim <= 2 for a in (got, expected))
    if fits:
        # As many digits as it takes to see a difference
        digits = next((d for d in (4, 8, 12) if _text(got, d) != _text(expected, d)), 16)
        lines += _laid_out("got", _text(got, digits)) + _laid_out(
            "expected", _text(expected, digits)
        )
    return lines + _inputs(comparison)


def _inputs(comparison: Comparison) -> list[str]:
    """What the student's code was given, where it is small enough to be typed."""
    lines: list[str] = []
    for name, array in comparison.case.items():
        if isinstance(array, np.ndarray) and array.ndim <= 2 and 0 < array.size <= SHOWN:
            lines += _laid_out(name, _text(array, 4))
    return lines


def _text(array: np.ndarray, digits: int) -> str:
    plain = bool(np.nanmax(np.abs(array), initial=0) > 0.01)  # else 1e-9 would show as 0
    return np.array2string(array, 120, digits, plain)


def _laid_out(word: str, text: str) -> list[str]:
    first, *rest = text.splitlines()
    width = max(9, len(word))
    return [f"{word:<{width}} {first}", *(" " * (width + 1) + line for line in rest)]


def known(code: str) -> bool:
    """Whether the code has words without an item's help."""
    return code in CAUSES or code in CAUSES_OF_RUNS
