"""Derivatives from values alone: central differences with an error estimate.

A step that is too long sees the curvature, one that is too short the rounding. So several steps
are tried, two neighbours are extrapolated to step 0 (Richardson), and the estimate with the
smallest error wins (Ridders). Where the slopes of both sides stay apart as the step shrinks,
there is a kink, and no derivative to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

Along = Callable[[float], np.ndarray]  # the losses at a distance t from the point

FIRST_STEP = 1.6e-2  # of the sweep, relative to the size of what is moved
STEPS = 12  # of the sweep, each a quarter of the one before
QUICK_STEPS = (1e-3, -1e-3, 5e-4, -5e-4)


@dataclass(frozen=True)
class Derivative:
    """Derivatives with estimated errors, and whether each is at a kink."""

    value: np.ndarray
    error: np.ndarray
    kink: np.ndarray


def sweep(along: Along, epsilon: float, steps: int = STEPS) -> Derivative:
    """d/dt along(t) at 0 for each of the losses, by a sweep of step sizes.

    Parameters
    ----------
    along : function of t
        Returns a vector of losses.
    epsilon : float
        The relative rounding error of the values.
    """
    h = FIRST_STEP / 4.0 ** np.arange(steps)
    here = along(0.0)
    above = np.array([along(t) for t in h])
    below = np.array([along(-t) for t in h])
    h = h[:, np.newaxis]
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(above), np.abs(below)) + np.abs(here)
        central = (above - below) / (2 * h)
        extrapolated = (16 * central[1:] - central[:-1]) / 15
        error = np.abs(extrapolated - central[1:]) + 4 * epsilon * size[1:] / h[1:]
        error = np.where(np.isfinite(error), error, np.inf)  # steps out of the domain
        best = np.argmin(error, axis=0)[np.newaxis]
        value = np.take_along_axis(extrapolated, best, 0)[0]
        # At a kink the one-sided slopes stay apart; elsewhere their gap shrinks with the step.
        slopes = np.array([(above - here) / h, (here - below) / h])
        gap = np.abs(slopes[0] - slopes[1])
        slope = np.max(np.abs(slopes), axis=(0, 1), initial=0, where=np.isfinite(slopes))
        readable = 40 * epsilon * size / h < 1e-3 * slope
    last = np.where(readable.any(0), steps - 1 - readable[::-1].argmax(0), 0)[np.newaxis]
    shorter = np.take_along_axis(gap, last, 0)[0]
    longer = np.take_along_axis(gap, np.maximum(last - 3, 0), 0)[0]
    kink = (last[0] >= 3) & (shorter > 0.3 * longer) & (shorter > 1e-2 * slope)
    return Derivative(value, np.take_along_axis(error, best, 0)[0], kink)


def spread(array: np.ndarray) -> np.ndarray:
    """For each element how far it may be moved by a step of 1: about its own size."""
    size = np.abs(array)
    typical = float(np.sqrt(np.mean(size * size))) if array.size else 0.0
    return np.maximum(size, max(0.1 * typical, 1e-2) if typical else 1.0)


def directional(
    losses: Callable[[], np.ndarray], array: np.ndarray, direction: np.ndarray, epsilon: float
) -> Derivative:
    """The derivatives of the losses as the whole array moves along one direction."""
    kept = array.copy()

    def along(t: float) -> np.ndarray:
        array[...] = kept + t * direction
        return losses()

    try:
        return sweep(along, epsilon, steps=10)
    finally:
        array[...] = kept


def gradients(
    losses: Callable[[], np.ndarray],
    array: np.ndarray,
    epsilon: float,
    places: Iterable[tuple[int, ...]] | None = None,
) -> Derivative:
    """The derivatives of each loss by every element: arrays (losses, *array.shape).

    Two steps for all elements; the sweep only where these two do not agree. With `places` only
    these elements are looked at, and the others are NaN.
    """
    scale, here = spread(array), losses()
    places = list(np.ndindex(array.shape) if places is None else places)

    def moved(index: tuple[int, ...], t: float) -> np.ndarray:
        kept = array[index]
        array[index] = kept + t * scale[index]
        try:
            return losses()
        finally:
            array[index] = kept

    quick = [[moved(index, t) for t in QUICK_STEPS] for index in places]
    found, sure = _two_steps(np.reshape(quick, (len(places), 4, len(here))), here, epsilon)
    shape = (len(here), *array.shape)
    result = Derivative(np.full(shape, np.nan), np.zeros(shape), np.zeros(shape, bool))
    for i, index in enumerate(places):
        one = Derivative(found.value[i], found.error[i], found.kink[i])
        if not sure[i]:
            one = sweep(partial(moved, index), epsilon)
        place: tuple[Any, ...] = (slice(None), *index)
        result.value[place] = one.value / scale[index]
        result.error[place] = one.error / scale[index]
        result.kink[place] = one.kink
    return result


def _two_steps(
    losses: np.ndarray, here: np.ndarray, epsilon: float
) -> tuple[Derivative, np.ndarray]:
    """Derivatives from two steps, and for which elements that is enough to be sure."""
    above, below, nearer_above, nearer_below = losses.swapaxes(0, 1)
    h = QUICK_STEPS[0]
    with np.errstate(all="ignore"):
        wide = (above - below) / (2 * h)
        narrow = (nearer_above - nearer_below) / h
        value = (4 * narrow - wide) / 3
        rounding = epsilon * (np.abs(above) + np.abs(here)) / h
        error = np.abs(value - narrow) + 8 * rounding
        gap = np.abs(above - 2 * here + below) / h
        half = np.abs(nearer_above - 2 * here + nearer_below) / (h / 2)
        smooth = half <= 0.6 * gap + 80 * rounding  # a kink keeps its gap
        sure = (smooth & (error <= 1e-6 * np.abs(value) + 1e-9)).all(axis=1)
    return Derivative(value, error, np.zeros(value.shape, bool)), sure
