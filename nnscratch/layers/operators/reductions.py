"""Sums and means along axes: many numbers become one, and its gradient goes back to all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from nnscratch.layers.base import Layer, floating

__all__ = ["Mean", "Sum"]

Axis = int | tuple[int, ...] | None


class Sum(Layer):
    """The sum along one or several axes, which disappear.

    Parameters
    ----------
    axis : int, tuple of int or None
        Negative ones count from the end; None sums everything.

    Notes
    -----
    *Forward*: y = Σ x_i, over no elements 0.

    *Backward*: ∂y/∂x_i = 1, so dx_i = dy for every i: dy is broadcast along the summed axes, as
    Add sums its gradient along the broadcast ones.

    *Shapes*: x any; y that of x without the axes.

    *Cache*: the shape of x and the axes.

    Raises
    ------
    ValueError
        x has no such axis, or an axis is named twice.

    References
    ----------
    [Operators] 1, the sum rule; [Recitation] rule 2.

    Examples
    --------
    >>> layer = Sum(axis=0)
    >>> layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    >>> layer.backward([10.0, 20.0])[0]
    array([[10., 20.],
           [10., 20.]])
    """

    def __init__(self, axis: Axis = None) -> None:
        self.axis = axis

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = _axes(self, x, self.axis)
        return x.sum(axes), (x.shape, axes)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return _spread(dy, *cache)

    def __repr__(self) -> str:
        return f"Sum(axis={self.axis})"


class Mean(Layer):
    """The mean along one or several axes, which disappear.

    Parameters
    ----------
    axis : int, tuple of int or None
        Negative ones count from the end; None takes the mean of everything.

    Notes
    -----
    *Forward*: y = (1/n) Σ x_i; over no elements nan, with NumPy's RuntimeWarning.

    *Backward*: ∂y/∂x_i = 1/n, so dx_i = dy/n for every i.

    *Shapes*: x any; y that of x without the axes.

    *Cache*: the shape of x and the axes.

    Raises
    ------
    ValueError
        x has no such axis, or an axis is named twice.

    References
    ----------
    [Operators] 2.1, where the sum for the mean over M numbers runs over one too many.

    Examples
    --------
    >>> layer = Mean(axis=1)
    >>> layer.forward(np.array([[1.0, 3.0], [5.0, 9.0]]))
    array([2., 7.])
    >>> layer.backward([10.0, 20.0])[0]
    array([[ 5.,  5.],
           [10., 10.]])
    """

    def __init__(self, axis: Axis = None) -> None:
        self.axis = axis

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = _axes(self, x, self.axis)
        return x.mean(axes), (x.shape, axes)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        shape, axes = cache
        count = np.prod([shape[axis] for axis in axes], dtype=int)
        # the reciprocal, since n itself may be too large for float16; dx is empty for n = 0
        return _spread(dy * (1 / max(int(count), 1)), shape, axes)

    def __repr__(self) -> str:
        return f"Mean(axis={self.axis})"


def _axes(layer: Layer, x: np.ndarray, axis: Axis) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.ndim))
    try:
        return normalize_axis_tuple(axis, x.ndim)
    except ValueError:
        layer.refuse(f"an array with axis {axis}", x, "name axes that x has, each once")


def _spread(dy: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...]) -> np.ndarray:
    # a copy, because several elements of the broadcast view are one number in memory
    return np.broadcast_to(np.expand_dims(dy, axes), shape).copy()
