"""Functions that choose: absolute value, the larger, the smaller, within bounds, by a condition.

Each is smooth apart from the places where the choice changes. There every slope between those of
the two sides would do; the ones taken are torch's: `Abs` has 0, `Maximum` and `Minimum` give half
to each of two equal numbers, `Clip` passes everything at its bounds.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.operators.arithmetic import (
    Kind,
    broadcasting,
    check_broadcast,
    floating_inputs,
    kind,
    sum_to_shape,
)
from nnscratch.layers.written import written

__all__ = ["Abs", "Clip", "Maximum", "Minimum", "Where"]


class Abs(Layer):
    """y = |x|, with derivative 1 for x > 0, -1 for x < 0, and 0 at 0.

    Notes
    -----
    *Cache*: x.

    References
    ----------
    [Recitation] rule 6.

    Examples
    --------
    >>> layer = Abs()
    >>> layer.forward(np.array([-2.0, 0.0, 3.0]))
    array([2., 0., 3.])
    >>> layer.backward([5.0, 5.0, 5.0])[0]
    array([-5.,  0.,  5.])
    """

    element_wise = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        return np.abs(x), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        return dy * np.sign(x)


class Clip(Layer):
    """y = x within bounds: low where x is less, high where x is more.

    Parameters
    ----------
    low, high : float or None
        The bounds; None for no bound on that side.

    Notes
    -----
    *Forward*: y = min(max(x, low), high). NaN stays NaN.

    *Backward*: the derivative is 1 where low <= x <= high, else 0. So outside the bounds nothing
    is learned any more.

    *Cache*: x.

    Raises
    ------
    ValueError
        low is above high, or a bound is NaN.

    References
    ----------
    [Recitation] rule 6.

    Examples
    --------
    >>> layer = Clip(-1, 2)
    >>> layer.forward(np.array([-5.0, -1.0, 0.5, 7.0]))
    array([-1. , -1. ,  0.5,  2. ])
    >>> layer.backward([3.0, 3.0, 3.0, 3.0])[0]
    array([0., 3., 3., 0.])
    """

    element_wise = True

    @checks_kinds
    def __init__(self, low: float | None, high: float | None) -> None:
        self.low = None if low is None else float(low)  # a NumPy scalar would widen float32
        self.high = None if high is None else float(high)
        if not self._bounds()[0] <= self._bounds()[1]:
            raise ValueError(
                f"Clip expected low at most as large as high, received {low} and {high}; "
                "None leaves a side open"
            )

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        low, high = self._bounds()
        return np.minimum(np.maximum(x, low), high), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        low, high = self._bounds()
        return dy * ((x >= low) & (x <= high))

    def _bounds(self) -> tuple[float, float]:
        return (
            -math.inf if self.low is None else self.low,
            math.inf if self.high is None else self.high,
        )

    def __repr__(self) -> str:
        return written(self)


class Maximum(Layer):
    """The larger of two numbers, element by element: y = max(u, v).

    Notes
    -----
    *Forward*: y = max(u, v), broadcast; NaN where either is NaN.

    *Backward*: a small change of the larger one is that of y, one of the smaller changes nothing:
    du = dy where u > v and dv = dy where v > u, else 0, summed back to the shapes of u and v.
    Where they are equal the slope by u is 0 to one side and 1 to the other; each gets dy / 2, so
    that together they get what moves both at once.

    *Shapes*: u and v of shapes that broadcast, to that of y.

    *Cache*: u and v.

    Raises
    ------
    ValueError
        There are not two inputs, or their shapes do not broadcast.

    References
    ----------
    [Recitation] rules 4 and 6.

    Examples
    --------
    >>> layer = Maximum()
    >>> layer.forward(np.array([1.0, 5.0, 3.0]), np.array([2.0, 4.0, 3.0]))
    array([2., 5., 3.])
    >>> layer.backward([10.0, 10.0, 10.0])[0]
    (array([ 0., 10.,  5.]), array([10.,  0.,  5.]))
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        u, v = broadcasting(self, inputs)
        return np.maximum(u, v), (u, v)

    def backward_pass(self, dy: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> Any:
        u, v = cache
        return _shared(dy, u, v, u < v, v < u)


class Minimum(Layer):
    """The smaller of two numbers, element by element: y = min(u, v).

    Notes
    -----
    *Forward*: y = min(u, v), broadcast; NaN where either is NaN.

    *Backward*: as for `Maximum`, with the smaller one in place of the larger.

    *Shapes*, *cache*, raises: those of `Maximum`.

    Examples
    --------
    >>> layer = Minimum()
    >>> layer.forward(np.array([1.0, 5.0, 3.0]), 3)
    array([1., 3., 3.])
    >>> layer.backward([10.0, 10.0, 10.0])[0]
    (array([10.,  0.,  5.]), np.float64(15.0))
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        u, v = broadcasting(self, inputs)
        return np.minimum(u, v), (u, v)

    def backward_pass(self, dy: np.ndarray, cache: tuple[np.ndarray, np.ndarray]) -> Any:
        u, v = cache
        return _shared(dy, u, v, u > v, v > u)


class Where(Layer):
    """u where a condition holds, else v.

    Notes
    -----
    *Forward*: y_i = u_i where c_i is true or not 0, else v_i; the three broadcast.

    *Backward*: y is one of the two numbers, so du = dy where c holds, dv = dy where it does not,
    elsewhere 0, summed back to the shapes of u and v. The other branch gets 0 even where its value
    is inf or NaN. A condition does not move a little: it has no gradient, dc is None.

    *Shapes*: c, u and v of shapes that broadcast, to that of y. u and v decide the dtype.

    *Cache*: c, and the shapes and dtypes of u and v.

    Raises
    ------
    ValueError
        There are not three inputs, or their shapes do not broadcast.

    References
    ----------
    [Recitation] rule 4(b), with a selection as the Jacobian of each branch.

    Examples
    --------
    >>> layer = Where()
    >>> layer.forward([True, False], np.array([1.0, 2.0]), np.array([30.0, 40.0]))
    array([ 1., 40.])
    >>> layer.backward([5.0, 7.0])[0]
    (None, array([5., 0.]), array([0., 7.]))
    """

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        if len(inputs) != 3:
            raise ValueError(
                f"{self} expected 3 inputs, received {len(inputs)}; "
                "call forward(condition, u, v) with all of them"
            )
        condition = floating(inputs[0]) != 0
        u, v = floating_inputs(inputs[1:])
        check_broadcast(self, condition, u, v)
        return np.where(condition, u, v), (condition, kind(u), kind(v))

    def backward_pass(self, dy: np.ndarray, cache: tuple[np.ndarray, Kind, Kind]) -> Any:
        condition, of_u, of_v = cache
        zero = np.zeros((), dy.dtype)
        du, dv = np.where(condition, dy, zero), np.where(condition, zero, dy)
        return None, sum_to_shape(du, *of_u), sum_to_shape(dv, *of_v)


def _shared(
    dy: np.ndarray, u: np.ndarray, v: np.ndarray, u_loses: np.ndarray, v_loses: np.ndarray
) -> Any:
    """(du, dv): all of dy to the one that does not lose, half of it to each of two equal ones."""
    half = (u == v) * dy.dtype.type(0.5)
    du, dv = dy * (~u_loses - half), dy * (~v_loses - half)
    return sum_to_shape(du, *kind(u)), sum_to_shape(dv, *kind(v))
