"""From two arrays to a name: why a gradient is wrong.

Each hypothesis says what a certain mistake would give. A cause is named only where exactly one
fits, on every draw of inputs, parameters and dy; otherwise the values differ, and that is all
that is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check.mistakes import derivatives, formulas, formulas_of_layers, hypotheses
from nnscratch.gradient_check.mistakes.causes import CODES, explain
from nnscratch.gradient_check.mistakes.context import Candidates, Context

Hypothesis = Callable[[np.ndarray, np.ndarray, Context], Candidates]
Case = tuple[Any, np.ndarray, Context]  # got, expected, and what was around

FORM: tuple[Hypothesis, ...] = (hypotheses.wrong_form,)
VALUES: tuple[Hypothesis, ...] = (
    hypotheses.wrong_shape,
    hypotheses.not_a_number,
    hypotheses.constant_factor,
    hypotheses.other_order,
    hypotheses.exchanged_gates,
    hypotheses.other_call,
    hypotheses.other_array,
    formulas.elementwise,
    derivatives.wrong_derivative,
    formulas.products,
    formulas.quotients,
    formulas.triple_products,
    formulas.sums,
    formulas_of_layers.softmax,
    formulas_of_layers.normalization,
    formulas_of_layers.losses,
)
IMPLIES = {  # the first code says all that the others say
    "zero": set(CODES) - {"zero"},
    "sign": {"inverted_mask", "wrong_derivative"},  # of Abs, whose slopes are 1 and -1
    "summed_too_far": {"wrong_axis"},
    "time_cut": {"not_accumulated"},  # of overlapping parts those of the own step are the last
    "diagonal_jacobian": {"time_cut", "not_accumulated"},  # of softmax over steps
    "windows_not_added": {"not_accumulated"},
    "keepdims": {"missing_derivative", "wrong_axis"},
    "swapped": {"wrong_operand", "operands_swapped", "missing_derivative", "transposed"},
    "wrong_place": {"wrong_derivative"},  # f' at y
    "one_sample": {"not_accumulated"},  # = in a loop over samples leaves the last one
}
NAMED_FACTORS = {c for c in CODES if c.startswith("factor_")} | {"sign", "averaged_over_space"}


def diagnose(got: Any, expected: np.ndarray, context: Context | None = None) -> tuple[str, str]:
    """Why `got` is not `expected`.

    Parameters
    ----------
    got : array
        The gradient to judge, or what stands in its place.
    expected : array
        The right one.
    context : Context or None
        What else is known; every array there makes more mistakes recognizable.

    Returns
    -------
    code, message : str
        "" and "" where they agree.

    Examples
    --------
    >>> expected = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    >>> diagnose(-expected, expected)[0]
    'sign'
    >>> code, message = diagnose(expected.T, expected, Context("W"))
    >>> code
    'transposed'
    >>> print(message)
    dW has shape (3, 2), expected (2, 3)
    dW is the transpose of what it should be: write the shapes beside the product, as dy·xᵀ has
    shape (out, in), and swap the factors
    """
    return diagnose_draws([(got, expected, context or Context())])


def diagnose_draws(draws: Sequence[Case]) -> tuple[str, str]:
    """`diagnose` on several draws of the same computation: a cause must fit on all of them."""
    wrong = [draw for draw in draws if not agrees(*draw)]
    if not wrong:
        return "", ""
    name = wrong[0][2].name
    fitting = set(candidates(*wrong[0]))
    for draw in draws:
        fitting &= set(candidates(*draw))
    codes = most_telling({code for code, _ in fitting})
    smallest = min(wrong, key=lambda draw: np.size(draw[1]))
    shown = difference(*smallest)
    if smallest[2] is not draws[0][2] and smallest[2].batch is not None:
        shown += f" (other numbers, batch of {smallest[2].batch})"
    if codes == {"shape"} or len(codes) != 1:
        code = "shape" if np.shape(smallest[0]) != smallest[1].shape else "values_differ"
        return code, f"{shown}\n{explain(code, name)}{several(codes)}"
    (code,) = codes
    what = min(what for found, what in fitting if found == code)
    return code, f"{shown}\n{explain(code, name, what)}"


def most_telling(codes: set[str]) -> set[str]:
    """Of the causes that fit the numbers, those that none of the others implies."""
    codes = codes.difference(*(IMPLIES.get(code, set()) for code in codes))
    return codes - {"factor"} if codes & NAMED_FACTORS else codes


def several(codes: set[str]) -> str:
    """What is added to a message where more than one cause fits."""
    return f" (several would: {', '.join(sorted(codes))})" if len(codes) > 1 else ""


def candidates(got: Any, expected: np.ndarray, context: Context) -> Iterable[tuple[str, str]]:
    """(code, what exactly) for every hypothesis that fits one draw."""
    form = [found for test in FORM for found in test(got, expected, context)]
    if form:
        return form
    got = np.asarray(got, np.float64)
    with np.errstate(all="ignore"):
        return [found for test in VALUES for found in test(got, expected, context)]


def agrees(got: Any, expected: np.ndarray, context: Context) -> bool:
    """Whether there is nothing to explain."""
    if list(hypotheses.wrong_form(got, expected, context)):
        return False
    return context.close(np.asarray(got, np.float64), expected)


def difference(got: Any, expected: np.ndarray, context: Context) -> str:
    """Got and expected in a few numbers."""
    name = context.name
    if list(hypotheses.wrong_form(got, expected, context)):
        if isinstance(got, np.ndarray) and got.shape == expected.shape:
            return f"{name} has dtype {got.dtype}, expected {expected.dtype}"
        return f"{name} should be an array of shape {expected.shape}"
    got = np.asarray(got, np.float64)
    if got.shape != expected.shape:
        return f"{name} has shape {got.shape}, expected {expected.shape}"
    with np.errstate(all="ignore"):
        distance = np.abs(got - expected)
    distance = np.where(np.isnan(got), np.inf, np.where(np.isnan(expected), -1, distance))
    index = np.unravel_index(np.argmax(distance), distance.shape)
    wrong = int(np.sum(distance > context.tolerance * np.nanmax(np.abs(expected), initial=0)))
    place = f"[{', '.join(map(str, index))}]" if index else ""
    theirs, right = float(got[index]), float(expected[index])
    # as many digits as it takes to see a difference
    digits = next((d for d in (6, 9, 12) if f"{theirs:.{d}g}" != f"{right:.{d}g}"), 17)
    words = f"{name}{place} is {theirs:.{digits}g}, expected {right:.{digits}g}"
    return words + (f"; {wrong} of {got.size} elements differ" if got.size > 1 else "")
