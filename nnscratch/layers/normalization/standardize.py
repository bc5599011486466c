"""Mean 0 and variance 1 along some axes: what all normalizations share.

They differ in the axes, and in where gamma and beta stand, but each is linear in x once the
statistics are known, and so is its backward pass in dy and x:

    y = gamma (x - mean) / σ + beta      = x ∘ A + B
    dx                                   = dy ∘ A + x ∘ C + D

A, B, C and D are small: one number for each mean, or for each gamma in it. What is as large as x
is read as seldom as can be, in the order of its memory (`frames.py`): no centred copy is made,
unless x is so far from 0 that squares would lose its variance to rounding.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from nnscratch.layers.normalization.frames import Axes, frame_of, sum_over, sums
from nnscratch.layers.part import Part
from nnscratch.layers.wider import overflowed

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
    with np.errstate(over="ignore", invalid="ignore"):
        mean, square = _means(x, axes)
        if overflowed(square, x):
            return moments(x.astype(np.float64), axes)
        variance = square - mean * mean
        if np.all(mean * mean <= FAR**2 * variance):
            return Moments(x, mean, np.maximum(variance, 0), mean)
        centred = np.subtract(x, mean, out=np.empty_like(x))  # in its order of memory
        rest, square = _means(centred, axes)  # what rounding left of the mean
        return Moments(centred, rest, np.maximum(square - rest * rest, 0), mean + rest)


def moments_of_parts(x: np.ndarray, axes: Axes, part: Part) -> tuple[int, Moments]:
    """(how many numbers there are along the axes in all parts of a batch, their statistics).

    The mean first, then the squares of what is centred by it: near 0 or far, one way for all
    parts, which have to take the same.
    """
    count, total = part.sums(_count(x, axes), sum_over(axes, x))
    n = round(float(count))
    mean = np.expand_dims(total / max(n, 1), axes).astype(x.dtype)
    centred = np.subtract(x, mean, out=np.empty_like(x))  # in its order of memory
    both = sums(frame_of(centred, axes), centred, centred)
    rest, square = (np.reshape(of / max(n, 1), mean.shape) for of in part.sums(*both))
    variance = np.maximum(square - rest**2, 0).astype(x.dtype)
    return n, Moments(centred, rest.astype(x.dtype), variance, (mean + rest).astype(x.dtype))


def _means(x: np.ndarray, axes: Axes) -> tuple[np.ndarray, np.ndarray]:
    """mean(x) and mean(x²), over no numbers 0."""
    of_x, of_squares = sums(frame_of(x, axes), x, x)
    return of_x * share(x, axes), of_squares * share(x, axes)


def share(x: np.ndarray, axes: Axes) -> float:
    """1/n for the n numbers along axes, or 1 where there is none: it turns sums into means."""
    return 1 / max(_count(x, axes), 1)


def _count(x: np.ndarray, axes: Axes) -> int:
    return prod(x.shape[axis] for axis in axes)


def checked_epsilon(name: str, epsilon: float) -> float:
    if not epsilon >= 0:
        raise ValueError(f"{name} expected epsilon of at least 0, received {epsilon}")
    return float(epsilon)


def gamma_and_beta(shape: tuple[int, ...], affine: bool) -> dict[str, np.ndarray]:
    """The parameters of a normalization: ones and zeros, or none."""
    if not affine:
        return {}
    return {"gamma": np.ones(shape, np.float32), "beta": np.zeros(shape, np.float32)}
