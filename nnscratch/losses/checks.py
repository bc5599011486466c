"""What the losses refuse: no numbers, numbers out of range, shapes that would broadcast."""

from __future__ import annotations

import sys
from typing import Any, NoReturn, Protocol

import numpy as np

from nnscratch.layers.base import floating

__all__: list[str] = []


SLACK = 0.01  # of probabilities; what is no probability at all is further off


class Refusing(Protocol):
    """A loss, as far as the checks know it."""

    def refuse(self, expected: str, received: object, remedy: str) -> NoReturn: ...


def real(loss: Refusing, what: str, x: Any) -> np.ndarray:
    """x as an array of real numbers; masks, text, complex and sparse numbers are refused."""
    if type(x) is np.ndarray and x.dtype.kind in "fiub":
        return x
    if "numpy.ma" in sys.modules and isinstance(x, np.ma.MaskedArray):
        remedy = "leave masked samples out, or give them a weight of 0"
        loss.refuse(f"{what} without a mask", "a masked array", remedy)
    if hasattr(x, "toarray"):
        loss.refuse(f"{what} as a dense array", f"a {type(x).__name__}", "pass x.toarray()")
    try:
        array = np.asarray(x)
    except ValueError:
        loss.refuse(f"{what} as an array", "rows of different lengths", "pad them to one length")
    if array.dtype.kind not in "fiub":
        remedy = "convert it with astype(np.float32)"
        if array.dtype.kind in "US" or (array.size and isinstance(array.flat[0], str)):
            remedy = "number classes by classes, labels = np.unique(names, return_inverse=True)"
        loss.refuse(f"{what} of real numbers", f"an array of {array.dtype}", remedy)
    return array


def check_values(
    loss: Refusing,
    what: str,
    x: np.ndarray,
    low: float = -np.inf,
    high: float = np.inf,
    remedy: str = "clean the data",
    slack: float = 0.0,
) -> None:
    """Refuse what is not finite or not in [low, high], with the place of the first.

    The slack lets through what rounding or a numeric derivative takes beyond the ends.
    """
    least, most = low - slack, high + slack
    if not x.size or (least <= x.min() and x.max() <= most and np.isfinite(x).all()):
        return
    wrong = ~((least <= x) & (x <= most) & np.isfinite(x))
    if np.isfinite(high):
        wanted = f"{what} in [{low:g}, {high:g}]"
    else:
        wanted = f"finite {what}" if low == -np.inf else f"{what} of at least {low:g}"
    place = np.unravel_index(np.argmax(wrong), x.shape)
    value = x[place]
    found = f"{value:g}" if np.isfinite(value) else "NaN" if np.isnan(value) else "infinity"
    where = f", first in sample {place[0]}" if place else ""
    loss.refuse(wanted, f"{found}{where}", remedy)


def like(loss: Refusing, prediction: np.ndarray, target: Any) -> np.ndarray:
    """The target in the prediction's dtype; its shape must be equal, never broadcast."""
    target = real(loss, "a target", target)
    if target.shape != prediction.shape:
        loss.refuse(
            f"a target of the prediction's shape {prediction.shape}",
            target.shape,
            f"reshape it to {prediction.shape}"
            if target.size == prediction.size
            else "give every output its target",
        )
    return floating(target, prediction.dtype)


def product(factor: Any, x: np.ndarray) -> np.ndarray:
    """factor · x, and 0 wherever the factor is 0, even where x is infinite.

    So what is ruled out, by a weight or a probability of 0, costs nothing: 0 · log 0 is 0.
    """
    y = factor * x
    return np.where(factor == 0, 0, y) if np.isnan(y).any() else y
