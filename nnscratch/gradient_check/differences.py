"""Derivatives from values alone: slopes to both sides, and how far they can be trusted.

At a distance h the slopes of the two sides enclose the derivative, up to the noise of the values
over h. A long step sees the curvature and every kink on its way, a short one the rounding; of
several steps the narrowest enclosure counts. So no assumption is made about smoothness: close to
a kink a step shorter than the distance to it is taken, and at the kink itself the enclosure
stays as wide as the jump of the slope.

Everything is kept for each output apart. An output that does not depend on what is moved adds
no rounding then, and at a kink each output may take either side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["STEPS", "Enclosure", "enclose", "slopes", "spread"]

Outputs = Callable[[float], np.ndarray]  # all outputs, flat, at a distance t from the point

EPSILON = float(np.finfo(np.float64).eps)
# Relative to the size of what is moved, each an eighth of the one before
STEPS = tuple(1.6e-2 / 8.0**k for k in range(14))


@dataclass(frozen=True)
class Enclosure:
    """Where the derivative of dy · y lies, for several dy.

    Attributes
    ----------
    value, half : arrays (dys,)
        The middle and half of the width, infinite where nothing is known.
    noise : array (dys,)
        The part of `half` that is due to the noise of the values.
    kink : array (dys,) of bool
        Whether the slopes of the two sides stay apart, more than noise and curvature can explain.
    """

    value: np.ndarray
    half: np.ndarray
    noise: np.ndarray
    kink: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """The part of `half` by which the two sides differ."""
        return np.where(np.isfinite(self.half), self.half - self.noise, np.inf)


def spread(array: np.ndarray) -> np.ndarray:
    """For each element how far a step of 1 moves it: its own size, or a tenth of the typical."""
    size = np.abs(array, dtype=np.float64)
    finite = size[np.isfinite(size)]
    largest = float(finite.max(initial=0))
    if not largest:
        return np.ones(array.shape)
    typical = largest * float(np.sqrt(np.mean((finite / largest) ** 2)))
    return np.maximum(size, 0.1 * typical)


def slopes(
    at: Outputs,
    here: np.ndarray,
    h: float,
    noise: np.ndarray,
    dys: np.ndarray,
    still: np.ndarray | None = None,
) -> Enclosure:
    """The enclosure by the slopes at a distance h.

    Parameters
    ----------
    at : function of t
    here : array (outputs,)
        `at(0)`.
    noise : array (outputs,)
        How much of each output is noise.
    dys : array (dys, outputs)
    still : mask (outputs,), optional
        Outputs that the longest step leaves the same.
    """
    above, below = at(h) - here, here - at(-h)
    with np.errstate(all="ignore"):
        middle = (above + below) / (2 * h)
        apart = np.abs(above - below) / (2 * h)
        # what a long step leaves the same moves by less than its noise over that step
        rounding = noise / (h if still is None else np.where(still, max(h, STEPS[0]), h))
        size = np.abs(dys)
        # the gap of the slopes holds noise too, which is no width of the enclosure beyond it
        value, half = dys @ middle, size @ np.maximum(apart - 1.5 * rounding, 0)
        error = np.sqrt((size * size) @ (rounding * rounding)) * 4
        error = np.minimum(error, size @ rounding * 2)
        error += EPSILON / h * (size @ (np.abs(middle) + apart))  # what is moved is rounded too
    bad = ~np.isfinite(value) | ~np.isfinite(half)
    value[bad], half[bad] = 0, np.inf
    kink = (half > error) & (half > 0.05 * (np.abs(value) + half)) & ~bad
    return Enclosure(value, half + error, np.where(bad, np.inf, error), kink)


def enclose(
    at: Outputs,
    here: np.ndarray,
    noise: np.ndarray,
    dys: np.ndarray,
    firm: np.ndarray,
    steps: tuple[float, ...] = STEPS,
) -> Enclosure:
    """The narrowest enclosure over several steps that agree, for each dy apart.

    An output that a long step leaves the same, though a move stands out (`firm`), stays out.
    """
    still = firm & (at(steps[0]) == here) & (at(-steps[0]) == here)
    found = [slopes(at, here, h, noise, dys, still) for h in steps]
    gaps = np.array([one.gap for one in found])
    values = np.array([one.value for one in found])
    with np.errstate(all="ignore"):
        # what an eighth of the step changes is what curvature makes of the whole step
        bent = 1.2 * (np.abs(np.diff(values, axis=0)) + np.abs(np.diff(gaps, axis=0)))
    bent = np.nan_to_num(np.concatenate([bent, bent[-1:]]), nan=np.inf)
    halves = np.array([one.half for one in found]) + bent
    own = np.array([one.half for one in found])
    best = np.argmin(np.where(_agreeing(values, halves, own), halves, np.inf), axis=0)[np.newaxis]

    def chosen(rows: np.ndarray, at: np.ndarray = best) -> np.ndarray:
        return np.asarray(np.take_along_axis(rows, at, 0)[0])

    value, half, gap = chosen(values), chosen(halves), chosen(gaps)
    error = chosen(np.array([one.noise for one in found]))
    # curvature's gap is an eighth at an eighth of the step, a kink's stays
    later = np.clip(best, 1, len(steps) - 1)
    stays = chosen(gaps, later) > 0.4 * chosen(gaps, later - 1)
    kink = stays & (gap > error) & (gap > 1e-3 * (np.abs(value) + gap)) & np.isfinite(half)
    return Enclosure(value, half, error, kink)


def _agreeing(values: np.ndarray, halves: np.ndarray, own: np.ndarray) -> np.ndarray:
    """For each step whether the shorter ones tell the same: a long one may span whole waves.

    The shorter ones by their own enclosures, without what their curvature adds.
    """
    found = np.ones(values.shape, bool)
    for k in range(len(values) - 1):
        apart = np.abs(values[k] - values[k + 1 :])
        found[k] = (apart <= halves[k] + own[k + 1 :]).all(axis=0)
    return found
