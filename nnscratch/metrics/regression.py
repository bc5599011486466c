"""How far numbers are from their targets."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import array_of

__all__ = ["mean_squared_error", "r2_score"]


def mean_squared_error(target: Any, prediction: Any) -> float:
    """The mean of (target - prediction)² over all samples and outputs.

    Parameters
    ----------
    target, prediction : arrays (samples, ...) of equal shapes

    Raises
    ------
    ValueError
        The shapes differ, there is no sample, or a number is NaN or infinite.

    Examples
    --------
    >>> mean_squared_error([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0])
    0.375
    """
    target, prediction = _numbers("mean_squared_error", target, prediction)
    return float(np.mean((target - prediction) ** 2))


def r2_score(target: Any, prediction: Any) -> float:
    """The share of the targets' variance that the prediction explains, the mean over outputs.

    Parameters
    ----------
    target, prediction : arrays (samples, ...) of equal shapes, of at least two samples

    Notes
    -----
    1 - Σ (t - x)² / Σ (t - t̄)² for each output: 1 is perfect, 0 as good as the mean t̄, and
    there is no lowest number. An output whose targets are all equal scores 1 if it is predicted
    exactly, else 0.

    Raises
    ------
    ValueError
        As `mean_squared_error`; or there is only one sample.

    Examples
    --------
    >>> round(r2_score([3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]), 4)
    0.9486
    """
    target, prediction = _numbers("r2_score", target, prediction)
    if len(target) < 2:
        raise ValueError("r2_score of one sample, which has no variance; pass at least two")
    left = ((target - prediction) ** 2).sum(axis=0)
    there = ((target - target.mean(axis=0)) ** 2).sum(axis=0)
    varied = np.ptp(target, axis=0) > 0
    explained = 1 - left / np.where(varied, there, 1)
    return float(np.where(varied, explained, left == 0).mean())


def _numbers(caller: str, target: Any, prediction: Any) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 of shape (samples, outputs), checked."""
    pair = []
    for what, x in (("target", target), ("prediction", prediction)):
        x = array_of(caller, x)
        if x.dtype.kind not in "fiub":
            raise ValueError(f"{caller} expected a {what} of real numbers, received {x.dtype}")
        if x.ndim and not np.isfinite(x).all():
            sample = int(np.argmax(~np.isfinite(x.reshape(len(x), -1)).all(axis=1)))
            raise ValueError(
                f"{caller} expected a finite {what}, received NaN or infinity, first in sample "
                f"{sample}; clean the data"
            )
        pair.append(x.astype(np.float64))
    shapes = [x.shape for x in pair]
    if shapes[0] != shapes[1] or pair[0].ndim == 0:
        raise ValueError(
            f"{caller} expected target and prediction of one shape (samples, ...), received "
            f"{shapes[0]} and {shapes[1]}; reshape one of them"
        )
    if len(pair[0]) == 0:
        raise ValueError(f"{caller} of no sample; pass at least one")
    return pair[0].reshape(len(pair[0]), -1), pair[1].reshape(len(pair[1]), -1)
