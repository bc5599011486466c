"""Derivatives of well-known functions as they are often written wrong.

Each row holds the right derivative in x and y, and wrong ones by their words. As in `formulas`: a
wrong form counts only where `expected` is the right form.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from nnscratch.gradient_check.mistakes.context import Candidates, Context

__all__ = ["wrong_derivative"]

EXCHANGED = "the sides exchanged"
Row = tuple[np.ndarray, str, dict[str, np.ndarray]]  # right slope, its words, wrong ones


def wrong_derivative(got: np.ndarray, expected: np.ndarray, context: Context) -> Candidates:
    """dx = dy f'(x) with another function in place of f'."""
    dy, x, y = context.dy, context.own, context.y
    if dy is None or x is None or y is None or context.index is None:
        return
    if not got.shape == expected.shape == dy.shape == x.shape == y.shape or not x.size:
        return
    for right, name, wrong in (*_smooth(x, y), *_rectifiers(x, y, expected / dy)):
        if not context.close(dy * right, expected):
            continue
        for words, slope in wrong.items():
            if context.close(got, dy * slope) and not context.close(dy * slope, expected):
                exchanged = words.startswith(EXCHANGED)
                what = "" if exchanged else f"{words}, not {name}"
                yield ("inverted_mask" if exchanged else "wrong_derivative"), what


def _smooth(x: np.ndarray, y: np.ndarray) -> Iterator[Row]:
    """Of tanh, sigmoid and softplus."""
    yield (
        1 - y * y,
        "1 - y²",
        {"1 - y": 1 - y, "1 + y²": 1 + y * y, "y (1 - y)": y * (1 - y), "y²": y * y,
         "1 - |y|": 1 - np.abs(y), "(1 - y)²": (1 - y) ** 2},
    )  # fmt: skip
    yield (
        y * (1 - y),
        "y (1 - y)",
        {"y (1 + y)": y * (1 + y), "1 - y": 1 - y, "y": y, "1 - y²": 1 - y * y,
         "y²": y * y, "(1 - y)²": (1 - y) ** 2, "y - 1": y - 1, "1 + y": 1 + y},
    )  # fmt: skip
    sigmoid = 1 / (1 + np.exp(-x))
    yield (
        sigmoid,
        "sigmoid(x)",
        {"1 - sigmoid(x)": 1 - sigmoid, "sigmoid (1 - sigmoid)": sigmoid * (1 - sigmoid),
         "tanh(x)": np.tanh(x)},
    )  # fmt: skip


def _rectifiers(x: np.ndarray, y: np.ndarray, slope: np.ndarray) -> Iterator[Row]:
    """Of ReLU, and of ELU and SELU, whose alpha and scale are read off the right slope."""
    above = x > 0
    yield (
        np.where(above, 1.0, 0.0),
        "1 where x > 0",
        {"y, its value": y, "x": x, "1 + y": 1 + y, "the sign of x": np.sign(x)},
    )
    known = ~np.isnan(slope)
    if not (above & known).any() or not (~above & known).any():
        return
    scale = float(np.median(slope[above & known]))
    below = slope - y
    alpha = float(np.median(below[~above & known])) / scale if scale else 0.0
    if not scale or not alpha:
        return
    scale = 1.0 if np.isclose(scale, 1, rtol=1e-6) else scale
    e = np.exp(np.minimum(x, 0))

    def sides(ahead: float | np.ndarray, behind: float | np.ndarray) -> np.ndarray:
        return np.where(above, ahead, behind)

    a, s = alpha, scale
    yield (
        sides(s, y + s * a),
        "alpha e^x, which is y + alpha" if s == 1 else "scale alpha e^x, which is y + scale alpha",
        {"y where x < 0": sides(s, y), "e^x where x < 0": sides(s, s * e),
         "alpha where x < 0": sides(s, s * a), "y + 1 where x < 0": sides(s, y + 1),
         "alpha y where x < 0": sides(s, a * y), "x where x < 0": sides(s, x),
         "alpha e^y where x < 0": sides(s, s * a * np.exp(np.minimum(y, 0))),
         "alpha e^-x where x < 0": sides(s, s * a / e), "y + alpha": y + s * a,
         "scale left out below 0": sides(s, a * e), "scale left out above 0": sides(1, s * a * e),
         EXCHANGED: sides(s * a, s), f"{EXCHANGED}, e^x": sides(s * a * np.exp(x), s),
         "0 where x < 0": sides(s, 0), "alpha (y + 1) where x < 0": sides(s, a * (y + 1))},
    )  # fmt: skip
