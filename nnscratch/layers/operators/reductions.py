"""Sums, means and extremes along axes: many numbers become one, and its gradient goes back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.wider import summed
from nnscratch.layers.written import written

__all__ = ["LogSumExp", "Max", "Mean", "Min", "Sum"]

Axis = int | tuple[int, ...] | None


class _Reduction(Layer):
    """What the layers here share: axes, and whether they stay; not a layer by itself.

    Parameters
    ----------
    axis : int, tuple of int or None
        Negative ones count from the end; None reduces everything.
    keepdims : bool
        Whether the axes stay, with size 1.
    """

    @checks_kinds
    def __init__(self, axis: Axis = None, keepdims: bool = False) -> None:
        self.axis, self.keepdims = axis, bool(keepdims)

    def _with_axes(self, y: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        """y or dy with the axes that were reduced, of size 1."""
        return y if self.keepdims else np.expand_dims(y, axes)

    def __repr__(self) -> str:
        return written(self)


class Sum(_Reduction):
    """The sum along one or several axes, which disappear.

    Parameters
    ----------
    axis : int, tuple of int or None
        Negative ones count from the end; None sums everything.
    keepdims : bool
        Whether the axes stay, with size 1.

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

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = named_axes(self, x, self.axis)
        return summed(x, axes, self.keepdims), (x.shape, axes)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        shape, axes = cache
        # a copy, because several elements of the broadcast view are one number in memory
        return np.broadcast_to(self._with_axes(dy, axes), shape).copy()


class Mean(_Reduction):
    """The mean along one or several axes, which disappear.

    Parameters
    ----------
    axis, keepdims
        As for `Sum`.

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

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = named_axes(self, x, self.axis)
        if x.size == 0 and 0 in [x.shape[axis] for axis in axes]:
            self.refuse("numbers to take the mean of", x, "leave out what is empty")
        return x.mean(axes, keepdims=self.keepdims), (x.shape, axes)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        shape, axes = cache
        count = np.prod([shape[axis] for axis in axes], dtype=int)
        # the reciprocal, since n itself may be too large for float16; dx is empty for n = 0
        share = self._with_axes(dy * (1 / max(int(count), 1)), axes)
        return np.broadcast_to(share, shape).copy()


class _Extreme(_Reduction):
    """The largest or smallest number along axes; not a layer by itself."""

    _pick: Any
    _word: str

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = named_axes(self, x, self.axis)
        if 0 in [x.shape[axis] for axis in axes]:
            self.refuse(f"numbers to take the {self._word} of", x, "leave out what is empty")
        y = self._pick.reduce(x, axes, keepdims=self.keepdims)
        return y, (x, y, axes)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y, axes = cache
        picked = x == self._with_axes(y, axes)
        with np.errstate(divide="ignore", invalid="ignore"):  # nothing equals NaN: 0 · 1/0
            shares = picked * (1 / picked.sum(axes, keepdims=True)).astype(dy.dtype)
        return shares * self._with_axes(dy, axes)


class Max(_Extreme):
    """The largest number along one or several axes, which disappear.

    Parameters
    ----------
    axis, keepdims
        As for `Sum`.

    Notes
    -----
    *Forward*: y = max x_i; NaN where there is one.

    *Backward*: a small change of the largest x_i is that of y, any other changes nothing. So
    dx_i = dy where x_i = y, else 0. Of k equally large ones each gets dy / k, as `Maximum` gives
    half to each of two: together they get what moves them all.

    *Shapes*: x any; y that of x without the axes.

    *Cache*: x, y and the axes.

    Raises
    ------
    ValueError
        x has no such axis or no number along it, or an axis is named twice.

    References
    ----------
    [Recitation] rule 6 with max for g.

    Examples
    --------
    >>> layer = Max(axis=1)
    >>> layer.forward(np.array([[1.0, 3.0, 2.0], [5.0, 4.0, 5.0]]))
    array([3., 5.])
    >>> layer.backward([10.0, 20.0])[0]
    array([[ 0., 10.,  0.],
           [10.,  0., 10.]])
    """

    _pick, _word = np.maximum, "largest"


class Min(_Extreme):
    """The smallest number along one or several axes, which disappear.

    Parameters
    ----------
    axis, keepdims
        As for `Sum`.

    Notes
    -----
    *Forward*: y = min x_i = -max (-x_i); NaN where there is one.

    *Backward*: as of `Max`, for both signs cancel: dx_i = dy where x_i = y, else 0; of k equally
    small ones each gets dy / k.

    *Shapes*: x any; y that of x without the axes.

    *Cache*: x, y and the axes.

    Raises
    ------
    ValueError
        x has no such axis or no number along it, or an axis is named twice.

    References
    ----------
    [Recitation] rule 6 with min for g.

    Examples
    --------
    >>> layer = Min(axis=1)
    >>> layer.forward(np.array([[1.0, 3.0, 2.0], [4.0, 5.0, 4.0]]))
    array([1., 4.])
    >>> layer.backward([10.0, 20.0])[0]
    array([[10.,  0.,  0.],
           [10.,  0., 10.]])
    """

    _pick, _word = np.minimum, "smallest"


class LogSumExp(_Reduction):
    """log Σ eˣ along one or several axes, which disappear: a smooth maximum.

    Parameters
    ----------
    axis, keepdims
        As for `Sum`.

    Notes
    -----
    *Forward*: with m the largest x_i, y = m + log Σ e^(x_i - m), in which nothing overflows.

    *Backward*: ∂y/∂x_i = eˣⁱ / Σ eˣʲ = e^(x_i - y), the softmax: dx_i = dy e^(x_i - y).

    *Shapes*: x any; y that of x without the axes.

    *Cache*: x, y and the axes.

    Raises
    ------
    ValueError
        x has no such axis or no number along it, or an axis is named twice.

    References
    ----------
    [Slides] softmax; [Recitation] rule 6.

    Examples
    --------
    >>> layer = LogSumExp(axis=1)
    >>> layer.forward(np.array([[0.0, 0.0], [1000.0, 0.0]])).round(4)
    array([6.931e-01, 1.000e+03])
    >>> layer.backward([10.0, 20.0])[0]
    array([[ 5.,  5.],
           [20.,  0.]])
    """

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = named_axes(self, x, self.axis)
        if 0 in [x.shape[axis] for axis in axes]:
            self.refuse("numbers to sum over", x, "leave out what is empty")
        m = np.asarray(x.max(axes, keepdims=True))
        m[~np.isfinite(m)] = 0  # inf - inf is NaN; there the exponentials overflow to the right sum
        with np.errstate(over="ignore", divide="ignore"):
            total = summed(np.exp(x - m), axes, keepdims=True)
            y = np.log(total) + m
        return (y if self.keepdims else y.reshape(np.delete(x.shape, axes))), (x, y, axes)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        x, y, axes = cache
        return self._with_axes(dy, axes) * np.exp(x - y)


def named_axes(layer: Layer, x: np.ndarray, axis: Axis) -> tuple[int, ...]:
    """The axes of x that `axis` names, counted from 0; None names them all."""
    if axis is None:
        return tuple(range(x.ndim))
    try:
        return normalize_axis_tuple(axis, x.ndim)
    except ValueError:
        layer.refuse(f"an array with axis {axis}", x, "name axes that x has, each once")
