"""Mean 0 and variance 1 along some axes: what BatchNorm, LayerNorm and GroupNorm share.

They differ in the axes, and in where gamma and beta stand. Sums are made by einsum, which reads
its operands once, in the order of their memory, and makes no array of products.
"""

from __future__ import annotations

from itertools import chain
from math import prod
from typing import Any

import numpy as np

Axes = tuple[int, ...]


def sum_over(axes: Axes, *factors: np.ndarray) -> np.ndarray:
    """Σ of the product of one or two equally shaped arrays along axes, which disappear.

    >>> sum_over((0,), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    """
    every = list(range(factors[0].ndim))
    kept = [axis for axis in every if axis not in axes]
    operands: chain[Any] = chain.from_iterable((factor, every) for factor in factors)
    return np.asarray(np.einsum(*operands, kept))


def mean_over(axes: Axes, *factors: np.ndarray) -> np.ndarray:
    """The mean of the product along axes, which stay with size 1; over no numbers 0."""
    return np.expand_dims(sum_over(axes, *factors) * share(factors[0], axes), axes)


def share(x: np.ndarray, axes: Axes) -> float:
    """1/n for the n numbers along axes, or 1 where there is none: it turns sums into means."""
    return 1 / max(prod(x.shape[axis] for axis in axes), 1)


def centre(x: np.ndarray, axes: Axes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(x - mean, mean, biased variance) along axes, which stay with size 1 in the statistics.

    The variance is that of the centred numbers. E(x²) - mean² would lose it to rounding where x
    is far from 0, and so, a little later, does the mean: it is then found in two steps.
    """
    mean = mean_over(axes, x)
    centred = x - spread(mean, x)
    variance = mean_over(axes, centred, centred)
    if np.any(np.abs(mean) > 10 * np.sqrt(variance)):
        rest = mean_over(axes, centred)  # what rounding left of the mean
        centred -= spread(rest, x)
        mean = mean + rest
        variance = mean_over(axes, centred, centred)
    return centred, mean, variance


def through_statistics(
    dxhat: np.ndarray, centred: np.ndarray, scale: np.ndarray, mean: np.ndarray, slope: np.ndarray
) -> np.ndarray:
    """dx = scale · (dxhat - mean - slope · centred), which BatchNorm's notes derive.

    With scale = 1/σ, mean is mean(dxhat), and slope · centred is xhat · mean(dxhat ∘ xhat).
    """
    dx = centred * spread(-slope, centred)
    dx += dxhat
    dx -= spread(mean, centred)
    dx *= spread(scale, centred)
    return dx


def spread(statistics: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Statistics that broadcast against x, repeated along all but the outermost axis of memory.

    A ufunc copies a broadcast operand into buffers where x has runs of fewer numbers than a
    buffer holds, which costs more than its work. What is repeated here is a small part of x.
    """
    outermost = max(range(x.ndim), key=lambda axis: abs(x.strides[axis]) * (x.shape[axis] > 1))
    if statistics.shape[outermost] > 1:
        return statistics  # they change along that axis: nothing smaller than x would hold them
    part = x[(slice(None),) * outermost + (slice(1),)]
    if statistics.shape == part.shape:
        return statistics
    repeated = np.empty_like(part, dtype=statistics.dtype)
    repeated[...] = statistics
    return repeated
