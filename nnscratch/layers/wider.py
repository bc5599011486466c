"""Wider numbers inside a layer, where its own would overflow or lose what is small.

float16 ends at 65 504 and counts by ones only up to 2048, so that a sum of 3000 ones is 2048. Sums
are therefore made in float32 and rounded once, as torch makes them. What float32 cannot hold, such
as the square of 1e30, is computed in float64.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnscratch.layers.base import Grads


def widened(x: np.ndarray) -> np.ndarray:
    """x, or as float32 where it is float16, whose squares and sums would overflow."""
    return x if x.dtype != np.float16 else x.astype(np.float32)


def narrowed(dtype: np.dtype, dx: Any, grads: Grads) -> tuple[Any, Grads]:
    """What a backward pass returns, in the dtype of its dy."""
    for key, grad in grads.items():
        if grad.dtype != dtype:
            grads[key] = grad.astype(dtype)
    return None if dx is None else dx.astype(dtype, copy=False), grads


def overflowed(squares: np.ndarray, x: np.ndarray) -> bool:
    """Whether squares of a finite float32 x are no numbers, which they are in float64."""
    return x.dtype == np.float32 and not np.isfinite(squares).all() and bool(np.isfinite(x).all())


def summed(
    x: np.ndarray, axes: int | Sequence[int] | None = None, keepdims: bool = False
) -> np.ndarray:
    """The sum along axes, of float16 in float32.

    >>> summed(np.ones(3000, np.float16).reshape(-1, 1), 0)
    array([3.e+03], dtype=float16)
    """
    axes = axes if axes is None or isinstance(axes, int) else tuple(axes)
    if x.dtype != np.float16:
        return x.sum(axes, keepdims=keepdims)
    return x.sum(axes, dtype=np.float32, keepdims=keepdims).astype(np.float16)
