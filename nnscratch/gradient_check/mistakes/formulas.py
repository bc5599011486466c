"""Mistakes in a formula: recognize the right gradient as one, and compare with its wrong forms.

As in `hypotheses`, every function takes (got, expected, context) and yields (code, what
exactly). A wrong form counts only where `expected` is the right form on the same arrays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from nnscratch.gradient_check.mistakes.context import Candidates, Context, summed_to

Formula = Callable[[np.ndarray], np.ndarray]


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# Derivatives g(x) of elementary functions, and the same derivatives written in y = f(x).
IN_X: dict[str, Formula] = {
    "cos": np.cos,
    "-sin": lambda x: -np.sin(x),
    "exp": np.exp,
    "1/x": lambda x: 1 / x,
    "2x": lambda x: 2 * x,
    "sigmoid": _sigmoid,
    "1/(2√x)": lambda x: 0.5 / np.sqrt(x),
    "σ(1-σ)": lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
    "1-tanh²": lambda x: 1 - np.tanh(x) ** 2,
}
IN_Y: dict[str, Formula] = {
    "y(1-y)": lambda y: y * (1 - y),
    "1-y²": lambda y: 1 - y * y,
    "y": lambda y: y,
    "1/(2y)": lambda y: 0.5 / y,
    "1-e^-y": lambda y: 1 - np.exp(-y),
}


def elementwise(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """dx = dy ∘ f'(x) with f' lost, taken at the wrong place, inverted, or without dy."""
    dy, x, y = context.dy, context.own, context.y
    if dy is None or x is None or got.shape != expected.shape:
        return
    if not dy.shape == expected.shape == x.shape:
        if dy.ndim == 0 and context.close(got * dy, expected):
            yield "dy_ignored", ""
        return
    with np.errstate(all="ignore"):
        if context.close(got, dy) and not _constant_slope(expected, dy, context):
            yield "missing_derivative", ""
        if context.close(got * dy, expected):
            yield "dy_ignored", ""
        if context.close(got * expected, dy * dy):
            yield "reciprocal", ""
        if context.close(got, expected - dy):
            yield "path_missing", ""
        if context.close(got, expected + dy):
            yield "path_added", ""
        other = _other_side(expected / dy)
        if not np.isnan(other).all() and context.close(got, dy * other):
            yield "inverted_mask", ""
        if y is None or y.shape != x.shape:
            return
        for name, g in IN_Y.items():
            if context.close(dy * g(y), expected) and context.close(got, dy * g(x)):
                yield "wrong_place", f"{name} with x in place of y"
        for name, g in IN_X.items():
            if context.close(dy * g(x), expected) and context.close(got, dy * g(y)):
                yield "wrong_place", f"{name} at y in place of x"


def _other_side(slope: np.ndarray) -> np.ndarray:
    """Of a slope that is one of two numbers the other; NaN where that is not known.

    Two numbers for all, or for each channel along axis 1, as of PReLU.
    """
    rounded = np.round(slope, 6)
    found = np.unique(rounded)
    if len(found) == 2:
        return np.asarray(found.sum() - rounded)
    other = np.full(slope.shape, np.nan)
    for channel in range(slope.shape[1]) if slope.ndim > 1 else ():
        found = np.unique(rounded[:, channel])
        if len(found) > 2:
            return np.full(slope.shape, np.nan)
        if len(found) == 2:
            other[:, channel] = found.sum() - rounded[:, channel]
    return other


def _constant_slope(expected: np.ndarray, dy: np.ndarray, context: Context) -> bool:
    """Whether f' is one constant other than 1: then its loss is a lost factor."""
    square = float(np.sum(dy[~np.isnan(expected)] ** 2))
    slope = float(np.nansum(expected * dy)) / square if square else 1.0
    return not np.isclose(slope, 1, rtol=1e-5) and context.close(slope * dy, expected)


def products(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """A product of dy and an operand: transposes, order, the other operand, ∘ for @."""
    dy = context.dy
    if dy is None or dy.ndim == 0:
        return
    operands = context.operands()
    right = [
        (name, order, turned)
        for name, operand in operands.items()
        for order, turned, value in _matrix_products(dy, operand, expected.shape)
        if context.close(value, expected)
    ]
    by_element = [
        name
        for name, operand in operands.items()
        if (value := _times(dy, operand, expected.shape)) is not None
        and context.close(value, expected)
    ]
    for name, order, turned in right:
        for other_order, other_turned, value in _matrix_products(dy, operands[name], got.shape):
            if not context.close(got, value) or (other_order, other_turned) == (order, turned):
                continue
            if expected.ndim > 1 and context.close(value, expected.mT):
                continue  # "transposed" says this
            yield ("transpose_missing" if other_order == order else "operands_swapped"), name
        for turn in (False, True) if name not in by_element else ():
            operand = operands[name].mT if turn and operands[name].ndim > 1 else operands[name]
            for factor in (dy, dy.mT if dy.ndim > 1 else dy):
                value_ = _times(factor, operand, got.shape)
                if value_ is not None and context.close(got, value_):
                    yield "elementwise_product", name
    for other, operand in operands.items():
        if right and other != right[0][0]:
            values = (value for *_, value in _matrix_products(dy, operand, got.shape))
            if any(context.close(got, value) for value in values):
                yield "wrong_operand", f"{other} in place of {right[0][0]}"
        if by_element and other not in by_element:
            value_ = _times(dy, operand, got.shape)
            if value_ is not None and context.close(got, value_):
                yield "wrong_operand", f"{other} in place of {by_element[0]}"
    same = got.shape == expected.shape
    if same and not right and not by_element and context.index is None:
        yield from _without_activation(got, expected, context)


def _without_activation(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """A layer with a built-in activation: the product with dy itself, f' left out."""
    dy = context.dy
    assert dy is not None
    for operand in context.operands().values():
        for _, _, value in _matrix_products(dy, operand, got.shape):
            if context.close(got, value):
                yield "missing_derivative", ""
    if dy.ndim > 1 and got.ndim == 1 and context.close(got, dy.sum(axis=tuple(range(dy.ndim - 1)))):
        yield "missing_derivative", ""


def _matrix_products(
    dy: np.ndarray, operand: np.ndarray, shape: tuple[int, ...]
) -> Iterator[tuple[int, tuple[bool, bool], np.ndarray]]:
    """Every product of dy and the operand, in both orders and with every transpose."""
    if operand.ndim == 0 or dy.ndim == 0:
        return
    factors = np.atleast_2d(dy), np.atleast_2d(operand)
    for order, turned in itertools.product((0, 1), itertools.product((False, True), repeat=2)):
        left, right = (f.mT if turn else f for f, turn in zip(factors, turned, strict=True))
        if order:
            left, right = right, left
        if left.shape[-1] != right.shape[-2]:
            continue
        try:
            value = summed_to(left @ right, shape)
        except ValueError:
            continue
        if value is not None:
            yield order, (turned[0], turned[1]), value


def _times(a: np.ndarray, b: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    try:
        return summed_to(a * b, shape)
    except ValueError:
        return None


def quotients(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """A product with an operand where there should be a quotient, and the reverse."""
    dy, y = context.dy, context.y
    if dy is None or got.shape != expected.shape:
        return
    terms = [dy] + ([dy * y] if y is not None and y.shape == dy.shape else [])
    for name, operand in context.operands().items():
        for term in terms:
            product = _times(term, operand, expected.shape)
            quotient = _times(term, 1 / operand, expected.shape)
            if product is None or quotient is None:
                continue
            for sign in (1, -1):
                for a, b in ((product, quotient), (quotient, product)):
                    if context.close(sign * a, expected) and context.close(sign * b, got):
                        yield "reciprocal", name


def triple_products(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """-Yᵀ dY Yᵀ, the gradient of an inverse, with a transpose too few or in another order."""
    y, dy = context.y, context.dy
    if y is None or dy is None or y.ndim < 2 or y.shape != dy.shape or y.shape[-1] != y.shape[-2]:
        return
    if not context.close(-(y.mT @ dy @ y.mT), expected):
        return
    if context.close(got, expected.mT):
        return  # "transposed" says this
    for factors in ((y, dy, y), (dy, y, y), (y, y, dy)):
        for turns in itertools.product((False, True), repeat=3):
            a, b, c = (m.mT if turn else m for m, turn in zip(factors, turns, strict=True))
            if context.close(got, -(a @ b @ c)):
                code = "transpose_missing" if factors[1] is dy else "operands_swapped"
                yield code, "dX = -Yᵀ dY Yᵀ"
    t = y.mT
    if any(context.close(got, -value) for value in ((t @ dy) * t, t * (dy @ t), t * dy @ t)):
        yield "elementwise_product", "dX = -Yᵀ dY Yᵀ"


def sums(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """A sum over samples: over another axis, or one sample of it."""
    dy = context.dy
    if dy is None or dy.ndim == 0:
        return
    terms = [dy] + [dy * a for a in context.operands().values() if a.shape == dy.shape]
    for term in terms:
        subsets = [
            axes
            for count in range(1, term.ndim + 1)
            for axes in itertools.combinations(range(term.ndim), count)
        ]
        if not any(context.close(term.sum(axes), expected) for axes in subsets):
            continue
        for axes in subsets:
            value = term.sum(axes)
            if context.close(got, value) and not context.close(value, expected):
                yield "wrong_axis", f"axis {', '.join(map(str, axes))}"
        for axis in range(term.ndim):
            for place, word in ((0, "first"), (-1, "last")):
                if context.close(got, np.take(term, place, axis)):
                    yield "one_sample", word
