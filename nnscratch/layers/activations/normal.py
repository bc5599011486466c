"""The standard normal distribution in the precision of its argument, for GELU.

Φ(-x) = e^(-x²/2) R(x) for x >= 0, where R (Mills' ratio, up to a factor) falls slowly from 1/2 and
has no exponential in it: R(x) = t (Q_0 + Q_1 t + ... + Q_9 t⁹) with t = 1 / (1 + x/4). Q is that
polynomial whose largest relative error is least; it is 5e-8, wherever x lies, so that float32
rounds more than that. One exponential then serves Φ and its slope φ(x) = e^(-x²/2) / √(2π).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

BLOCK = 32768  # numbers: the four arrays of a block fit into a cache of 512 KB
DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)

Q = np.empty(10, np.float32)
Q[:5] = 0.099735567, 0.099736432, 0.093466356, 0.081603102, 0.058975188
Q[5:] = 0.063698999, -0.031717328, 0.095596884, -0.080877199, 0.019781983


def normal_cdf(x: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Φ(x), from x and e^(-x²/2).

    >>> x = np.float32([-1, 0, 1])
    >>> normal_cdf(x, np.exp(x * x * -0.5)).round(5)
    array([0.15866, 0.5    , 0.84134], dtype=float32)
    """
    if x.dtype != np.float32:
        from scipy.special import ndtr  # slow to import and needed only here

        wide = x if x.dtype == np.float64 else x.astype(np.float64)  # all that it knows
        return np.asarray(ndtr(wide)).astype(x.dtype, copy=False)
    t = 1 / (np.abs(x) * 0.25 + 1)
    tail = np.full_like(t, Q[-1])
    for q in Q[-2::-1]:
        tail *= t
        tail += q
    tail *= t
    tail *= power
    upper = (x > 0).astype(x.dtype)  # as numbers: random signs slow down `where`
    tail *= 1 - 2 * upper
    tail += upper
    return tail


def blocks(like: np.ndarray, *arrays: np.ndarray) -> Iterator[tuple[np.ndarray, ...]]:
    """Equally long pieces of arrays in the order of memory of `like`, where they lie alike.

    >>> x, y = np.zeros((2, 3)), np.ones((2, 3))
    >>> for x_part, y_part in blocks(x, y):
    ...     x_part += y_part
    >>> bool((x == y).all())
    True
    """
    flat = [array.ravel(order="K") for array in (like, *arrays)]
    for start in range(0, like.size, BLOCK):
        yield tuple(array[start : start + BLOCK] for array in flat)
