"""Several arrays as one, and one as several: the gradient is cut, or joined, at the same places."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.operators.arithmetic import floating_inputs
from nnscratch.layers.written import written

__all__ = ["Concatenate", "Split", "Stack"]


class Concatenate(Layer):
    """Params joined along one axis; takes any number of inputs.

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

    @checks_kinds
    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        parts = _arrays(self, inputs)
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


class Stack(Layer):
    """Params of one shape, put one behind the other along a new axis; any number of inputs.

    Parameters
    ----------
    axis : int
        The place of the new axis in y.

    Notes
    -----
    *Forward*: y[..., i, ...] is input i.

    *Backward*: each input gets its own slice of dy. `dx` is the tuple of the slices, or the array
    itself for a single input.

    *Shapes*: all inputs of one shape; y with one more axis, as long as there are inputs.

    *Cache*: the dtypes of the inputs.

    Raises
    ------
    ValueError
        There is no input, the shapes differ, or y would not have the axis.

    References
    ----------
    [Recitation] rule 4(b), with a selection as the Jacobian of each part.

    Examples
    --------
    >>> layer = Stack(axis=0)
    >>> layer.forward(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    array([[1., 2.],
           [3., 4.]])
    >>> layer.backward([[10.0, 20.0], [30.0, 40.0]])[0]
    (array([10., 20.]), array([30., 40.]))
    """

    @checks_kinds
    def __init__(self, axis: int) -> None:
        self.axis = axis

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        parts = _arrays(self, inputs)
        try:
            return np.stack(parts, self.axis), [part.dtype for part in parts]
        except ValueError:
            shapes = " and ".join(str(part.shape) for part in parts)
            raise ValueError(
                f"{self} expected equal shapes to which an axis {self.axis} can be added, "
                f"received {shapes}; Concatenate(axis) joins along an axis that is there"
            ) from None

    def backward_pass(self, dy: np.ndarray, dtypes: list[np.dtype]) -> Any:
        slices = np.moveaxis(dy, self.axis, 0)
        dx = tuple(s.astype(t, copy=False) for s, t in zip(slices, dtypes, strict=True))
        return dx if len(dx) > 1 else dx[0]

    def __repr__(self) -> str:
        return f"Stack(axis={self.axis})"


class Split(Layer):
    """One array cut into several along an axis, as by `np.split`; a layer of several outputs.

    Parameters
    ----------
    sections : int or sequence of int
        An int: so many parts of equal size. A sequence: where to cut, [2, 5] between the places
        1 and 2 and between 4 and 5.
    axis : int

    Notes
    -----
    *Forward*: y is the tuple of the parts, `x[:2], x[2:5], x[5:]`. They are views of x.

    *Backward*: every number of x is one of one part, so dx is the parts' gradients, joined. A part
    from which no gradient comes (dy None) gives 0. That is `Concatenate` the other way round.

    *Shapes*: x any; the parts as x but for the size of that axis.

    *Cache*: the axis, and the shapes and dtype of the parts.

    Raises
    ------
    ValueError
        x has no such axis, or an int does not divide its size; sections are neither.

    References
    ----------
    [Recitation] rule 4(b), with a selection as the Jacobian of each part.

    Examples
    --------
    >>> layer = Split([1], axis=0)
    >>> u, v = layer.forward(np.array([1.0, 2.0, 3.0]))
    >>> u, v
    (array([1.]), array([2., 3.]))
    >>> layer.backward((None, [10.0, 20.0]))[0]
    array([ 0., 10., 20.])
    """

    @checks_kinds
    def __init__(self, sections: int | Sequence[int], axis: int) -> None:
        try:
            self.sections: int | tuple[int, ...] = (
                index(sections)
                if isinstance(sections, SupportsIndex)
                else tuple(index(place) for place in sections)
            )
        except TypeError:
            self.sections = 0
        if isinstance(self.sections, int) and self.sections < 1:
            raise ValueError(
                f"Split expected a number of parts or the places to cut at, received {sections!r}"
            )
        self.axis = axis
        self.output_count = (
            self.sections if isinstance(self.sections, int) else len(self.sections) + 1
        )

    def forward_pass(self, x: Any) -> tuple[Any, Any]:
        x = floating(x)
        if not -x.ndim <= self.axis < x.ndim:
            self.refuse(f"an array with an axis {self.axis}", x, "name an axis that x has")
        try:
            parts = tuple(np.split(x, self.sections, self.axis))
        except ValueError:
            remedy = f"say where to cut, as in Split([{x.shape[self.axis] // 2}], {self.axis})"
            self.refuse(f"an axis {self.axis} of {self.sections} equal parts", x, remedy)
        return parts, (self.axis, [part.shape for part in parts], x.dtype)

    def backward_pass(self, dy: Any, cache: Any) -> np.ndarray:
        axis, shapes, dtype = cache
        parts = [
            np.zeros(shape, dtype) if part is None else part
            for part, shape in zip(dy, shapes, strict=True)
        ]
        return np.concatenate(parts, axis)

    def __repr__(self) -> str:
        return written(self)


def _arrays(layer: Layer, inputs: Sequence[Any]) -> list[np.ndarray]:
    """At least one input, each as a floating array."""
    if not inputs:
        raise ValueError(f"{layer} expected at least 1 input, received 0; call forward(u, v)")
    first = inputs[0]
    if isinstance(first, (list, tuple)) and any(isinstance(x, np.ndarray) for x in first):
        # as one input it would be stacked along a new axis, and pass
        raise ValueError(f"{layer} expected arrays, received a list of them; put a star before it")
    return floating_inputs(inputs)
