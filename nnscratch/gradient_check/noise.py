"""How much of a value is noise: measured, not read off its dtype.

A layer may round to float32 or float16 inside and return float64. Two things are measured, at a
point a little beside the one that is checked, so that its kinks and ties do not count:

- the *quantum*, the smallest relative move of the argument that nearly all outputs notice: an
  argument that is rounded to float32 does not notice one of 1e-9;
- the *noise* of each output, by high differences over nine close points, of which a smooth
  function leaves nothing (J. J. Moré and S. M. Wild, Estimating computational noise, SIAM J. Sci.
  Comput. 33, 2011).
"""

from __future__ import annotations

from math import comb

import numpy as np

from nnscratch.gradient_check.differences import Outputs

__all__ = ["measured"]

MOVES = (1e-15, 1e-13, 1e-11, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1)
POINTS = 9
PACES = (1.0, 1.37, 0.71, 1.83, 0.53)  # steps of a whole number of roundings would show none
SAFETY = 4.0
MOST = 0.6
FAR, FIRM, STANDS_OUT = 0.3, 1e-2, 1e3
ROUNDS = 1e-12  # a quantum from which the argument is rounded: then one pace is not enough
APART = 0.0137  # how far the points lie apart from which a move is noticed


def measured(at: Outputs, here: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """The noise of each output as the argument moves along `at`, whether a move stands out, and
    whether anything moves at all.

    Where no move stands out, an output that stays the same may depend on the argument all the
    same; where nothing moves, its noise is not known.

    Examples
    --------
    >>> x = np.linspace(0.5, 1.5, 5)
    >>> exact, *_ = measured(lambda t: np.sin(x * (1 + t)), np.sin(x))
    >>> coarse, *_ = measured(lambda t: np.sin(np.float32(x * (1 + t))).astype(float), np.sin(x))
    >>> bool(exact.max() < 1e-14), bool(1e-8 < coarse.max() < 1e-5)
    (True, True)
    """
    floor = 2 * np.finfo(np.float64).eps * np.abs(here)
    base = at(0.0)
    if not base.size or not np.isfinite(base).any():
        return floor, np.zeros(base.shape, bool), True
    windows = max(1, min(5, 20 // base.size))  # few outputs need more points
    quantum = _quantum(at, windows)
    step, windows = max(1e-8, 4 * quantum), windows if quantum < ROUNDS else len(PACES)
    with np.errstate(all="ignore"):
        found, moved = np.zeros(base.shape), np.zeros(base.shape, bool)
        for k in range(windows):
            centre = POINTS * step * ((k + 1) // 2) * (-1) ** k  # to both sides in turn
            pace = step * PACES[k]
            values = np.array([at(centre + pace * (i - POINTS // 2)) for i in range(POINTS)])
            found = np.maximum(found, _by_differences(values))
            moved |= (values != values[0]).any(axis=0) & np.isfinite(values).all(axis=0)
        size = np.max(np.abs(values), axis=0, initial=0, where=np.isfinite(values))
        told = (size > 0) & moved  # one that stands still shows no noise, here
        share = np.median((found / size)[told]) if told.any() else 0.0
    # what few points show of one output may be small by chance, but hardly of most
    noise = SAFETY * np.maximum(found, share * np.abs(here)) + floor
    with np.errstate(all="ignore"):
        return noise, np.abs(at(FIRM) - base) > STANDS_OUT * noise, bool(moved.any())


def _by_differences(values: np.ndarray) -> np.ndarray:
    """The noise of each column: the median of what the differences of several orders tell."""
    orders = []
    differences = np.diff(values, 3, axis=0)
    for order in range(4, POINTS - 1):
        differences = np.diff(differences, axis=0)
        orders.append(np.sqrt(np.mean(differences**2, axis=0) / comb(2 * order, order)))
    found = np.median(orders, axis=0)
    return np.asarray(np.where(np.isfinite(found), found, 0))


def _quantum(at: Outputs, windows: int) -> float:
    """The smallest move that nearly all outputs notice which notice a long one.

    From several points: one output alone may lie at the edge of its rounding by chance.
    """
    starts = APART * np.arange(windows)
    base = np.array([at(t) for t in starts])

    def notice(move: float) -> np.ndarray:
        moved = np.array([at(t + move) for t in starts])
        return (moved != base) & np.isfinite(moved) & np.isfinite(base)

    far = notice(FIRM)
    if not far.any():  # so coarse that only a long way is noticed; further on other kinks begin
        far = notice(FAR)
    count = int(far.sum())
    if not count:
        return 0.0
    return next((move for move in MOVES if np.sum(notice(move) & far) >= MOST * count), FAR)
