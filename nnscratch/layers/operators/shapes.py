"""Operators that only rearrange: the gradient takes the same way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from nnscratch.layers.base import Layer, floating
from nnscratch.layers.operators.arithmetic import floating_inputs

__all__ = ["Concatenate", "Reshape", "Transpose"]


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


class Concatenate(Layer):
    """Arrays joined along one axis; takes any number of inputs.

    Parameters
    ----------
    axis : int

    Notes
    -----
    *Forward*: y holds the inputs one after the other along the axis.

    *Backward*: every number of y is one of one input, so each input gets its own slice of dy.
    `dx` is the tuple of the slices, or the array itself for a single input.

    *Shapes*: equal but for the size of that axis; the sizes add up.

    *Cache*: the axis, and where each input ends, with its dtype.

    Raises
    ------
    ValueError
        There is no input, one lacks the axis, or the other sizes differ.

    References
    ----------
    [Recitation] rule 4(b), with a selection of rows as the Jacobian of each part.

    Examples
    --------
    >>> layer = Concatenate(axis=0)
    >>> layer.forward(np.array([1.0, 2.0]), np.array([3.0]))
    array([1., 2., 3.])
    >>> layer.backward([10.0, 20.0, 30.0])[0]
    (array([10., 20.]), array([30.]))
    """

    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        if not inputs:
            raise ValueError(f"{self} expected at least 1 input, received 0; call forward(u, v)")
        first = inputs[0]
        if isinstance(first, (list, tuple)) and any(isinstance(x, np.ndarray) for x in first):
            # as one input it would be stacked along a new axis, and pass
            raise ValueError(
                f"{self} expected arrays, received a list of them; put a star before it"
            )
        parts = floating_inputs(inputs)
        try:
            y = np.concatenate(parts, self.axis)
        except ValueError:
            shapes = " and ".join(str(part.shape) for part in parts)
            raise ValueError(
                f"{self} expected shapes with an axis {self.axis} and otherwise equal, "
                f"received {shapes}; reshape the parts or choose another axis"
            ) from None
        axis = normalize_axis_index(self.axis, y.ndim)
        ends = np.cumsum([part.shape[axis] for part in parts])
        return y, (axis, ends, [part.dtype for part in parts])

    def backward_pass(self, dy: np.ndarray, cache: Any) -> Any:
        axis, ends, dtypes = cache
        slices = np.split(dy, ends[:-1], axis)
        dx = tuple(s.astype(t, copy=False) for s, t in zip(slices, dtypes, strict=True))
        return dx if len(dx) > 1 else dx[0]

    def __repr__(self) -> str:
        return f"Concatenate(axis={self.axis})"
