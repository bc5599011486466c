"""What a student reads of an array that is wrong: both arrays where they are small, and the cause.

The words are those of `nnscratch.gradient_check`, which speak of gradients; for a value, and for
what became of the run, there are others here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.mistakes.naming import difference

if TYPE_CHECKING:
    from nnscratch.grading.verdicts import Comparison

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


def words_of(group: Sequence[Comparison], code: str, name: str, what: str) -> str:
    """Cause and remedy of a code that fits the comparisons of one name."""
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


def lines_of(comparison: Comparison) -> list[str]:
    """Got and expected: the worst element, and both arrays where they are small."""
    got, expected = comparison.got, comparison.expected
    if other_dtype(comparison):
        return []
    try:
        received = np.asarray(got, np.float64)
    except (TypeError, ValueError):
        return [difference(got, expected, comparison.context)]
    if got is not None and received.shape == expected.shape == ():
        digits = next((d for d in (6, 10, 14) if f"{received:.{d}g}" != f"{expected:.{d}g}"), 17)
        words = f"{comparison.name} is {received:.{digits}g}, expected {expected:.{digits}g}"
        return [words, *_inputs_of(comparison)]
    lines = [difference(got, expected, comparison.context)]
    got = received
    fits = all(1 < a.size <= SHOWN and a.ndim <= 2 for a in (got, expected))
    if fits:
        # As many digits as it takes to see a difference
        digits = next((d for d in (4, 8, 12) if _text(got, d) != _text(expected, d)), 16)
        lines += _laid_out("got", _text(got, digits)) + _laid_out(
            "expected", _text(expected, digits)
        )
    return lines + _inputs_of(comparison)


def _inputs_of(comparison: Comparison) -> list[str]:
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


def other_dtype(comparison: Comparison) -> str:
    """The dtype where the result is less precise than what it was computed from."""
    dtype = getattr(comparison.got, "dtype", None)
    return str(dtype) if dtype is not None and dtype.kind == "f" and dtype.itemsize < 8 else ""
