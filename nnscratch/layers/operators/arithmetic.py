"""Arithmetic of two arrays, element by element: + - * / as layers.

The operands broadcast as in NumPy. Broadcasting copies a number to several places of y, and
what is used several times has the sum of its gradients ([Recitation], rule 4): each gradient is
summed back to the shape of its operand by `sum_to_shape`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnscratch.kinds import as_array
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.wider import summed

__all__ = ["Add", "Div", "Mul", "Sub"]

Kind = tuple[tuple[int, ...], np.dtype]  # what a gradient has of its input: shape and dtype


class Add(Layer):
    """The sum of two arrays: y = u + v.

    Notes
    -----
    *Forward*: y = u + v, broadcast.

    *Backward*: ∂y/∂u = ∂y/∂v = 1, so du = dv = dy, summed back to the shapes of u and v.

    *Shapes*: u and v of shapes that broadcast, to that of y.

    *Cache*: the shapes and dtypes of u and v.

    Raises
    ------
    ValueError
        There are not two inputs, or their shapes do not broadcast.

    References
    ----------
    [Operators] 1; [Recitation] rule 2.

    Examples
    --------
    >>> layer = Add()
    >>> layer.forward(np.array([[1.0], [2.0]]), np.array([10.0, 20.0, 30.0]))
    array([[11., 21., 31.],
           [12., 22., 32.]])
    >>> (du, dv), grads = layer.backward(np.ones((2, 3)))
    >>> du, dv
    (array([[3.],
           [3.]]), array([2., 2., 2.]))
    >>> layer.forward(np.zeros(3), np.zeros((3, 2)))
    Traceback (most recent call last):
    ValueError: Add() expected shapes that broadcast, received (3,) and (3, 2); sizes aligned
    at the last axis must be equal or 1: insert an axis as in u[:, np.newaxis]
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        u, v = broadcasting(self, inputs)
        return u + v, (kind(u), kind(v))

    def backward_pass(self, dy: np.ndarray, cache: tuple[Kind, Kind]) -> Any:
        of_u, of_v = cache
        return sum_to_shape(dy, *of_u), sum_to_shape(dy, *of_v)


class Sub(Layer):
    """The difference of two arrays: y = u - v.

    Notes
    -----
    *Forward*: y = u - v, broadcast.

    *Backward*: ∂y/∂u = 1 and ∂y/∂v = -1, so du = dy and dv = -dy, summed back to the shapes of
    u and v.

    *Shapes*: u and v of shapes that broadcast, to that of y.

    *Cache*: the shapes and dtypes of u and v.

    Raises
    ------
    ValueError
        There are not two inputs, or their shapes do not broadcast.

    References
    ----------
    [Operators] 11.

    Examples
    --------
    >>> layer = Sub()
    >>> layer.forward(np.array([5.0, 7.0]), 1)
    array([4., 6.])
    >>> layer.backward([1.0, 10.0])[0]
    (array([ 1., 10.]), np.float64(-11.0))
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        u, v = broadcasting(self, inputs)
        return u - v, (kind(u), kind(v))

    def backward_pass(self, dy: np.ndarray, cache: tuple[Kind, Kind]) -> Any:
        of_u, of_v = cache
        return sum_to_shape(dy, *of_u), -sum_to_shape(dy, *of_v)


class Mul(Layer):
    """The element-wise product of two arrays: y = u ∘ v.

    Notes
    -----
    *Forward*: y = u ∘ v, broadcast.

    *Backward*: the product rule, ∂y/∂u = v and ∂y/∂v = u: du = dy ∘ v and dv = dy ∘ u, summed
    back to the shapes of u and v.

    *Shapes*: u and v of shapes that broadcast, to that of y.

    *Cache*: u and v.

    Raises
    ------
    ValueError
        There are not two inputs, or their shapes do not broadcast.

    References
    ----------
    [Operators] 6; [Recitation] rule 5, where L = f(y) should read L = f(z).

    Examples
    --------
    >>> layer = Mul()
    >>> layer.forward(np.array([2.0, 3.0]), np.array([5.0, 7.0]))
    array([10., 21.])
    >>> layer.backward([1.0, 10.0])[0]
    (array([ 5., 70.]), array([ 2., 30.]))
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        u, v = broadcasting(self, inputs)
        return u * v, (u, v)

    def backward_pass(self, dy: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> Any:
        u, v = cache
        return sum_to_shape(dy * v, *kind(u)), sum_to_shape(dy * u, *kind(v))


class Div(Layer):
    """The element-wise quotient of two arrays: y = u / v.

    Notes
    -----
    *Forward*: y = u / v, broadcast. Division by 0 gives inf or nan with NumPy's RuntimeWarning.

    *Backward*: the quotient rule, ∂y/∂u = 1/v and ∂y/∂v = -u/v² = -y/v: du = dy / v and
    dv = -y ∘ dy / v, summed back to the shapes of u and v. Written in y, nothing overflows where
    v² would.

    *Shapes*: u and v of shapes that broadcast, to that of y.

    *Cache*: v, y, and the shape and dtype of u.

    Raises
    ------
    ValueError
        There are not two inputs, or their shapes do not broadcast.

    References
    ----------
    [Operators] 4.

    Examples
    --------
    >>> layer = Div()
    >>> layer.forward(np.array([6.0, 8.0]), np.array([3.0, 2.0]))
    array([2., 4.])
    >>> layer.backward([3.0, 1.0])[0]
    (array([1. , 0.5]), array([-2., -2.]))
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        u, v = broadcasting(self, inputs)
        y = u / v
        return y, (kind(u), v, y)

    def backward_pass(self, dy: np.ndarray, cache: tuple[Kind, np.ndarray, np.ndarray]) -> Any:
        of_u, v, y = cache
        share = dy / v
        return sum_to_shape(share, *of_u), -sum_to_shape(share * y, *kind(v))


def kind(x: np.ndarray) -> Kind:
    """The shape and dtype of x: all that some gradients need to know of it."""
    return x.shape, x.dtype


def sum_to_shape(dy: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The inverse of broadcasting: dy summed over the axes that were added or stretched."""
    if dy.shape != shape:
        added = dy.ndim - len(shape)
        stretched = (i for i, size in enumerate(shape, added) if size == 1)
        dy = summed(dy, (*range(added), *stretched)).reshape(shape)
    return dy.astype(dtype, copy=False)


def floating_inputs(inputs: Sequence[Any]) -> list[np.ndarray]:
    """Every input as a floating array; integers take the dtype of the floating arrays beside.

    Python's own numbers decide nothing where there is an array, as in NumPy.
    """
    decides = [type(x) not in (bool, int, float) for x in inputs]
    if not any(decides):
        decides = [True] * len(inputs)
    arrays = [x if type(x) is np.ndarray else as_array(x) for x in inputs]
    keeps = [yes and x.dtype.kind == "f" for x, yes in zip(arrays, decides, strict=True)]
    dtypes = [x.dtype for x, yes in zip(arrays, keeps, strict=True) if yes]
    common = np.result_type(*dtypes) if dtypes else np.dtype(np.float32)
    return [floating(x, None if yes else common) for x, yes in zip(arrays, keeps, strict=True)]


def two_inputs(layer: Layer, inputs: Sequence[Any]) -> list[np.ndarray]:
    """Both inputs as floating arrays; refuses any other number of them."""
    if len(inputs) != 2:
        raise ValueError(
            f"{layer} expected 2 inputs, received {len(inputs)}; call forward(u, v) with both"
        )
    return floating_inputs(inputs)


def broadcasting(layer: Layer, inputs: Sequence[Any]) -> list[np.ndarray]:
    """Both inputs as floating arrays that broadcast against each other."""
    u, v = two_inputs(layer, inputs)
    check_broadcast(layer, u, v)
    return [u, v]


def check_broadcast(layer: Layer, *arrays: np.ndarray) -> None:
    """Refuse arrays whose shapes do not broadcast."""
    try:
        np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        shapes = " and ".join(str(array.shape) for array in arrays)
        raise ValueError(
            f"{layer} expected shapes that broadcast, received {shapes}; sizes aligned at the last "
            "axis must be equal or 1: insert an axis as in u[:, np.newaxis]"
        ) from None
