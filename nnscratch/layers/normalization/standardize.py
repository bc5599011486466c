"""Mean 0 and variance 1 along some axes: what all normalizations share.

They differ in the axes, and in where gamma and beta stand, but each is linear in x once the
statistics are known, and so is its backward pass in dy and x:

    y = gamma (x - mean) / σ + beta      = x ∘ A + B
    dx                                   = dy ∘ A + x ∘ C + D

A, B, C and D are small: one number for each mean, or for each gamma in it. What is as large as x
is read as seldom as can be: no centred copy is made, unless x is so far from 0 that squares would
lose its variance to rounding. Sums are made by einsum, which reads its operands once, in the order
of their memory, and makes no array of products.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from nnscratch import compiled
from nnscratch.layers.part import Part
from nnscratch.layers.wider import overflowed

Axes = tuple[int, ...]
FAR = 3  # standard deviations from 0, from which on squares are taken of what is centred


class Moments(NamedTuple):
    """The statistics of x along axes, which stay with size 1."""

    x: np.ndarray  # x itself, less its mean where that is far from 0; float64 for large squares
    mean: np.ndarray  # of this x
    variance: np.ndarray  # biased
    whole_mean: np.ndarray  # of the x that was given


def moments(x: np.ndarray, axes: Axes) -> Moments:
    """mean(x) and var(x) = mean(x²) - mean(x)², of x less its mean where rounding asks for it.

    >>> moments(np.array([1.0, 3.0]), (0,))[1:3]
    (array([2.]), array([1.]))
    """
    square = mean_over(axes, x, x)
    if overflowed(square, x):
        return moments(x.astype(np.float64), axes)
    mean, variance, near = _by_squares(x, axes, square)
    if near:
        return Moments(x, mean, variance, mean)
    centred = x - spread(mean, x)
    square = mean_over(axes, centred, centred)
    rest, variance, _ = _by_squares(centred, axes, square)  # what rounding left of the mean
    return Moments(centred, rest, variance, mean + rest)


def moments_of_parts(x: np.ndarray, axes: Axes, part: Part) -> tuple[int, Moments]:
    """(how many numbers there are along the axes in all parts of a batch, their statistics).

    The mean first, then the squares of what is centred by it: near 0 or far, one way for all
    parts, which have to take the same.
    """
    count, total = part.sums(_count(x, axes), sum_over(axes, x))
    n = round(float(count))
    mean = np.expand_dims(total / max(n, 1), axes).astype(x.dtype)
    centred = x - spread(mean, x)
    sums = part.sums(sum_over(axes, centred), sum_over(axes, centred, centred))
    rest, square = (np.expand_dims(of / max(n, 1), axes) for of in sums)
    variance = np.maximum(square - rest**2, 0).astype(x.dtype)
    return n, Moments(centred, rest.astype(x.dtype), variance, (mean + rest).astype(x.dtype))


def _by_squares(
    x: np.ndarray, axes: Axes, mean_square: np.ndarray
) -> tuple[np.ndarray, np.ndarray, bool]:
    """(mean, variance, whether the squares could be trusted)."""
    mean = mean_over(axes, x)
    with np.errstate(over="ignore", invalid="ignore"):
        square = mean * mean
        variance = mean_square - square
        near = bool(np.all(square <= FAR**2 * variance))
    return mean, np.maximum(variance, 0), near


def sum_over(axes: Axes, *factors: np.ndarray) -> np.ndarray:
    """Σ of the product of one or two equally shaped arrays along axes, which disappear.

    >>> sum_over((0,), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    """
    x, every = factors[0], range(factors[0].ndim)
    kept = [axis for axis in every if axis not in axes]
    operands: list[Any] = [of for factor in factors for of in (factor, every)]
    if len(axes) > 1 and kept:
        outermost, *inner = sorted(every, key=lambda axis: -abs(x.strides[axis]))
        if outermost in axes and inner[-1] in kept:  # first what lies in the longest runs
            part = np.einsum(*operands, inner)
            rest = tuple(i for i, axis in enumerate(inner) if axis in axes)
            left = [axis for axis in inner if axis in kept]
            return part.sum(rest).transpose([left.index(axis) for axis in kept])
    return np.asarray(np.einsum(*operands, kept))


def mean_over(axes: Axes, *factors: np.ndarray) -> np.ndarray:
    """The mean of the product along axes, which stay with size 1; over no numbers 0."""
    return np.expand_dims(sum_over(axes, *factors) * share(factors[0], axes), axes)


def share(x: np.ndarray, axes: Axes) -> float:
    """1/n for the n numbers along axes, or 1 where there is none: it turns sums into means."""
    return 1 / max(_count(x, axes), 1)


def _count(x: np.ndarray, axes: Axes) -> int:
    return prod(x.shape[axis] for axis in axes)


def scaled(x: np.ndarray, A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """x ∘ A + B for A and B that broadcast against x, in x's order of memory."""
    y = np.empty_like(x)
    if not compiled.scaled(x, y, A, B):
        np.multiply(x, spread(A, x), out=y)
        y += spread(B, y)
    return y


def combined(
    dy: np.ndarray, A: np.ndarray, x: np.ndarray, C: np.ndarray, D: np.ndarray
) -> np.ndarray:
    """dy ∘ A + x ∘ C + D for A, C and D that broadcast against x, in dy's order of memory."""
    dx = np.empty_like(dy)
    if not compiled.combined(x, dy, dx, A, C, D):
        np.multiply(dy, spread(A, dy), out=dx)
        dx += x * spread(C, x)
        dx += spread(D, dx)
    return dx


def combined_inside(
    dy: np.ndarray, A: np.ndarray, x: np.ndarray, C: np.ndarray, D: np.ndarray
) -> np.ndarray:
    """A ∘ (dy + x ∘ C + D): a pass less than `combined`, where A is common to all three."""
    dx = np.empty_like(dy)
    if not compiled.combined_inside(x, dy, dx, A, C, D):
        np.multiply(x, spread(C, x), out=dx)
        dx += dy
        dx += spread(D, dx)
        dx *= spread(A, dx)
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


def checked_epsilon(name: str, epsilon: float) -> float:
    if not epsilon >= 0:
        raise ValueError(f"{name} expected epsilon of at least 0, received {epsilon}")
    return float(epsilon)


def gamma_and_beta(shape: tuple[int, ...], affine: bool) -> dict[str, np.ndarray]:
    """The parameters of a normalization: ones and zeros, or none."""
    if not affine:
        return {}
    return {"gamma": np.ones(shape, np.float32), "beta": np.zeros(shape, np.float32)}
