"""Operators that only rearrange: the gradient takes the same way back."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.operators.reductions import Axis, named_axes
from nnscratch.layers.wider import summed
from nnscratch.layers.written import written

__all__ = ["Flip", "Reshape", "Tile", "Transpose"]


class Transpose(Layer):
    """The axes in another order.

    Parameters
    ----------
    axes : sequence of int or None
        Axis i of y is axis `axes[i]` of x; None reverses them all.

    Notes
    -----
    *Forward*: y_ji = x_ij, in general y's index is x's index permuted.

    *Backward*: ⟨dY, ΔXᵀ⟩ = ⟨dYᵀ, ΔX⟩, so dX = dYᵀ: the inverse permutation.

    *Shapes*: x any; y the sizes of x in the order of `axes`.

    *Cache*: the axes.

    Raises
    ------
    ValueError
        `axes` does not name each axis of x once.

    References
    ----------
    [MatrixGradients], useful identities; [Proofs] 1.

    Examples
    --------
    >>> layer = Transpose((1, 2, 0))
    >>> layer.forward(np.zeros((2, 3, 4))).shape
    (3, 4, 2)
    >>> layer.backward(np.zeros((3, 4, 2)))[0].shape
    (2, 3, 4)
    """

    @checks_kinds
    def __init__(self, axes: Sequence[int] | None = None) -> None:
        self.axes = None if axes is None else tuple(axes)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = self._order(x)
        return x.transpose(axes), axes

    def backward_pass(self, dy: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return dy.transpose(np.argsort(axes))

    def _order(self, x: np.ndarray) -> tuple[int, ...]:
        if self.axes is None:
            return tuple(range(x.ndim))[::-1]
        try:
            axes = normalize_axis_tuple(self.axes, x.ndim)
        except ValueError:
            axes = ()
        if len(axes) != x.ndim:
            self.refuse(
                f"an array of {len(self.axes)} axes, each named once",
                x,
                "name every axis of x, the batch too",
            )
        return axes

    def __repr__(self) -> str:
        return f"Transpose({'' if self.axes is None else self.axes})"


class Reshape(Layer):
    """The same numbers, in row-major order, in another shape.

    Parameters
    ----------
    shape : int or sequence of int
        The whole shape, as in NumPy; -1, allowed once, is computed from the others. `Flatten`
        keeps the batch axis instead.

    Notes
    -----
    *Forward*: y lists the numbers of x in row-major order.

    *Backward*: dx is dy in the shape of x, since every number is only passed on.

    *Shapes*: x any of as many elements; y `shape`.

    *Cache*: the shape of x.

    Raises
    ------
    ValueError
        A size is negative, -1 occurs twice, or x has another number of elements.

    References
    ----------
    [MatrixGradients], a matrix of ℝᵐˣⁿ as a vector of ℝᵐⁿ.

    Examples
    --------
    >>> layer = Reshape((2, -1))
    >>> layer.forward(np.arange(6.0))
    array([[0., 1., 2.],
           [3., 4., 5.]])
    >>> layer.backward(np.ones((2, 3)))[0]
    array([1., 1., 1., 1., 1., 1.])
    >>> layer.forward(np.zeros((3, 3)))
    Traceback (most recent call last):
    ValueError: Reshape((2, -1)) expected a multiple of 2 elements, received (3, 3);
    give the whole shape, the batch too, or use Flatten()
    """

    @checks_kinds
    def __init__(self, shape: int | Sequence[int]) -> None:
        self.shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
        if min(self.shape, default=0) < -1 or self.shape.count(-1) > 1:
            raise ValueError(
                f"Reshape expected sizes of at least 0 and -1 at most once, received {self.shape}"
            )

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        try:
            return x.reshape(self.shape), x.shape
        except ValueError:
            size = np.prod([n for n in self.shape if n >= 0], dtype=int)
            expected = f"a multiple of {size} elements" if -1 in self.shape else f"{size} elements"
            self.refuse(expected, x, "give the whole shape, the batch too, or use Flatten()")

    def backward_pass(self, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return dy.reshape(shape)

    def __repr__(self) -> str:
        return f"Reshape({self.shape})"


class Tile(Layer):
    """The array repeated along its axes, as in `np.tile`.

    Parameters
    ----------
    repeats : int or sequence of int
        How often along each of the last axes; the others stay. More of them than x has axes add
        axes in front.

    Notes
    -----
    *Forward*: y[a n + i] = x[i] along an axis of size n, for each copy a.

    *Backward*: each x_i is used once in every copy, so its gradients add up ([Recitation], rule
    4(b)): dx[i] = Σ_a dy[a n + i].

    *Shapes*: x any; y with each size times its number.

    *Cache*: the shape of x.

    Raises
    ------
    ValueError
        A number is negative.

    References
    ----------
    [Recitation], "when to use = and when to use +=".

    Examples
    --------
    >>> layer = Tile(2)
    >>> layer.forward(np.array([1.0, 2.0]))
    array([1., 2., 1., 2.])
    >>> layer.backward([1.0, 10.0, 3.0, 20.0])[0]
    array([ 4., 30.])
    """

    @checks_kinds
    def __init__(self, repeats: int | Sequence[int]) -> None:
        try:
            self.repeats = (
                index(repeats)
                if isinstance(repeats, SupportsIndex)
                else tuple(index(number) for number in repeats)
            )
        except TypeError:
            self.repeats = -1
        if min(np.ravel(self.repeats), default=0) < 0:
            raise ValueError(
                f"Tile expected an int of at least 0 or one per axis, received {repeats!r}"
            )

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.tile(x, self.repeats), x.shape

    def backward_pass(self, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        repeats = (self.repeats,) if isinstance(self.repeats, int) else self.repeats
        ndim = max(len(repeats), len(shape))
        copies = (1,) * (ndim - len(repeats)) + repeats
        sizes = (1,) * (ndim - len(shape)) + shape
        pairs = [number for pair in zip(copies, sizes, strict=True) for number in pair]
        return summed(dy.reshape(pairs), range(0, 2 * ndim, 2)).reshape(shape)

    def __repr__(self) -> str:
        return written(self)


class Flip(Layer):
    """The elements along some axes in the reverse order.

    Parameters
    ----------
    axis : int, tuple of int or None
        None reverses every axis.

    Notes
    -----
    *Forward*: y_i = x_{n-1-i}.

    *Backward*: the same once more: dx_i = dy_{n-1-i}.

    *Cache*: the axes.

    Raises
    ------
    ValueError
        x has no such axis, or an axis is named twice.

    References
    ----------
    [Proofs] 6.1, where a flipped kernel turns the correlation into the convolution.

    Examples
    --------
    >>> layer = Flip(0)
    >>> layer.forward(np.array([1.0, 2.0, 3.0]))
    array([3., 2., 1.])
    >>> layer.backward([1.0, 10.0, 100.0])[0]
    array([100.,  10.,   1.])
    """

    @checks_kinds
    def __init__(self, axis: Axis) -> None:
        self.axis = axis

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        axes = named_axes(self, x, self.axis)
        return np.flip(x, axes), axes

    def backward_pass(self, dy: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
        return np.flip(dy, axes)

    def __repr__(self) -> str:
        return written(self)
