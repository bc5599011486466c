"""Softmax and its logarithm: scores to probabilities along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.wider import summed

__all__ = ["LogSoftmax", "Softmax"]


class Softmax(Layer):
    """Probabilities from scores: y_i = e^{x_i} / Σ_k e^{x_k} along one axis.

    Parameters
    ----------
    axis : int

    Notes
    -----
    *Forward*: with the largest score subtracted first, which cancels in the quotient and keeps
    e^x from overflowing.

    *Backward*: ∂y_i/∂x_j = y_i (δ_ij - y_j), that is J = diag(y) - y yᵀ. J is symmetric, and
    its product with dy needs no matrix: dx = J dy = y ∘ (dy - Σ_k dy_k y_k). The sum is what
    "diagonal" implementations forget.

    *Shapes*: x and y of any equal shape.

    *Cache*: y.

    Raises
    ------
    ValueError
        x has no such axis.

    References
    ----------
    [Operators] 10, which leaves the gradient out.

    Examples
    --------
    >>> layer = Softmax()
    >>> layer.forward(np.log([[1.0, 2.0, 5.0]]))
    array([[0.125, 0.25 , 0.625]])
    >>> layer.backward([[8.0, 0.0, 0.0]])[0]
    array([[ 0.875, -0.25 , -0.625]])
    """

    @checks_kinds
    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = _classes_outermost(_with_axis(self, x, self.axis), self.axis)
        y = np.exp(x - x.max(self.axis, keepdims=True, initial=-np.inf))
        y /= summed(y, self.axis, keepdims=True)
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return y * (dy - summed(dy * y, self.axis, keepdims=True))

    def __repr__(self) -> str:
        return f"Softmax(axis={self.axis})"


class LogSoftmax(Layer):
    """Log-probabilities from scores: y_i = x_i - log Σ_k e^{x_k} along one axis.

    Parameters
    ----------
    axis : int

    Notes
    -----
    *Forward*: by log-sum-exp, log Σ e^{x_k} = a + log Σ e^{x_k - a} with a = max x.

    *Backward*: ∂y_i/∂x_j = δ_ij - p_j with p = e^y, so dx = dy - p Σ_k dy_k.

    *Shapes*: x and y of any equal shape.

    *Cache*: y.

    Raises
    ------
    ValueError
        x has no such axis.

    References
    ----------
    [Slides] "Softmax Cross Entropy Forward Continued (2)", the log-sum-exp trick.

    Examples
    --------
    >>> LogSoftmax().forward(np.array([1000.0, 0.0]))
    array([    0., -1000.])
    """

    @checks_kinds
    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        y = log_softmax(_with_axis(self, x, self.axis), self.axis)
        return y, y

    def backward_pass(self, dy: np.ndarray, y: np.ndarray) -> np.ndarray:
        return dy - np.exp(y) * summed(dy, self.axis, keepdims=True)

    def __repr__(self) -> str:
        return f"LogSoftmax(axis={self.axis})"


def log_softmax(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """x - log Σ e^x along the axis, by log-sum-exp."""
    x = _classes_outermost(x, axis)
    x = x - x.max(axis, keepdims=True, initial=-np.inf)
    if x.size:  # the sum over no scores has no logarithm
        wide = np.promote_types(x.dtype, np.float32)  # float16 is summed in float32
        x -= np.log(np.exp(x).sum(axis, dtype=wide, keepdims=True))
    return x


def _classes_outermost(x: np.ndarray, axis: int) -> np.ndarray:
    """x, with the last axis outermost in memory where it is the one in question and short.

    NumPy adds ten rows of a thousand numbers several times faster than a thousand rows of ten.
    """
    if axis in (-1, x.ndim - 1) and x.shape[axis] <= 32:
        return np.asfortranarray(x)
    return x


def _with_axis(layer: Layer, x: Any, axis: int) -> np.ndarray:
    x = floating(x)
    if not -x.ndim <= axis < x.ndim:
        layer.refuse(f"an array with an axis {axis}", x, "choose an axis that x has")
    return x
