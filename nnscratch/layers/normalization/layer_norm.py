"""Normalization within each sample, over its last axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index
from typing import Any, SupportsIndex

import numpy as np

from nnscratch import compiled
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.normalization.frames import both_one_by_one, by_lanes
from nnscratch.layers.normalization.standardize import (
    checked_epsilon,
    gamma_and_beta,
)
from nnscratch.layers.wider import narrowed, overflowed, widened
from nnscratch.layers.written import written

__all__ = ["LayerNorm", "RMSNorm"]


class _OverLastAxes(Layer):
    """What both layers share: the last axes of x as rows; not a layer by itself."""

    shape: tuple[int, ...]

    def _sizes(self, shape: int | Sequence[int]) -> tuple[int, ...]:
        sizes = (shape,) if isinstance(shape, SupportsIndex) else shape
        found = tuple(index(size) for size in sizes)
        if not found or min(found) < 1:
            name = type(self).__name__
            raise ValueError(f"{name} expected one or more sizes of at least 1, received {shape}")
        return found

    def _checked(self, x: Any) -> np.ndarray:
        x = floating(x, self.dtype)
        if x.shape[x.ndim - len(self.shape) :] != self.shape:
            ending = ", ".join(map(str, self.shape))
            fitting = x.shape[-len(self.shape) :]
            remedy = "give it the sizes of the axes to normalize over, the last ones of x"
            if len(fitting) == len(self.shape) and 0 not in fitting:
                remedy = f"make it {written(self, shape=_shortest(fitting))} or transpose x"
            self.refuse(f"(..., {ending})", x, remedy)
        return x

    def _rows(self, x: np.ndarray) -> np.ndarray:
        """(..., *shape) as one row for each place of the other axes."""
        return np.ascontiguousarray(widened(x)).reshape(-1, prod(self.shape))

    def _gamma(self, dtype: np.dtype) -> np.ndarray:
        """gamma as one row."""
        if "gamma" in self.params:
            return widened(self.params["gamma"]).reshape(-1)
        return np.ones(prod(self.shape), dtype)

    def __repr__(self) -> str:
        return written(self, shape=_shortest(self.shape))


class LayerNorm(_OverLastAxes):
    """Normalize each sample over its last axes, then scale and shift each feature.

    Parameters
    ----------
    shape : int or tuple of int
        The sizes of the last axes, over which is normalized.
    epsilon : float
        Added to the variance.
    affine : bool
        Whether there are gamma and beta; without them y = xhat.

    Notes
    -----
    *Forward*: xhat = (x - mean) / σ with σ² = var + epsilon, mean and biased variance over the
    last axes of x; y = gamma ∘ xhat + beta. Training and evaluation are the same.

    *Gradient*: dgamma = Σ dy ∘ xhat and dbeta = Σ dy, over all rows.

    *Backward*: dxhat = gamma ∘ dy, and from there as derived in `BatchNorm`, with the means over
    the last axes: dx = (1/σ) (dxhat - mean(dxhat) - xhat · mean(dxhat ∘ xhat)). Here gamma
    changes along these axes, so it stays inside the means.

    *Shapes*: x and y (..., *shape); gamma and beta shape.

    *Cache*: x as rows, the mean of each row less its first number, 1/σ, and xhat where no compiled
    loop finds it again on its way. What all numbers of a row share is so taken off before anything
    is rounded, and no row is too far from 0.

    Raises
    ------
    ValueError
        The last axes of x have other sizes; a size is not positive or epsilon negative.

    References
    ----------
    Ba, Kiros and Hinton, Layer normalization (2016), section 3; [Operators] 2 with other axes.

    Examples
    --------
    >>> layer = LayerNorm(2)
    >>> layer.forward(np.array([[1.0, 3.0], [30.0, 10.0]])).round(3)
    array([[-1.,  1.],
           [ 1., -1.]], dtype=float32)
    """

    @checks_kinds
    def __init__(
        self, shape: int | Sequence[int], epsilon: float = 1e-5, affine: bool = True
    ) -> None:
        self.shape = self._sizes(shape)
        self.epsilon = checked_epsilon("LayerNorm", epsilon)
        self.affine = bool(affine)
        self.params = gamma_and_beta(self.shape, self.affine)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = self._checked(x)
        X = self._rows(x)
        Y, statistics, xhat = self._standardized(X)
        if not (statistics[1] > 0).all() and X.dtype == np.float32 and np.isfinite(X).all():
            X = X.astype(np.float64)  # which holds the squares
            Y, statistics, xhat = self._standardized(X)
        return _in_order_of(x, Y), (X, statistics, xhat)

    def _standardized(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """(Y, of each row its mean and 1/σ, xhat where it was computed as a whole)."""
        gamma, epsilon = self._gamma(X.dtype), np.full(1, self.epsilon, X.dtype)
        beta = widened(self.params["beta"]).ravel() if self.affine else np.zeros_like(gamma)
        Y, statistics = np.empty_like(X), np.empty((2, len(X), 1), X.dtype)
        if compiled.layer_norm(X, gamma, beta, epsilon, Y, statistics):
            return Y, statistics, None
        mean, s = statistics
        xhat = X - X[:, :1]
        mean[...] = _means(xhat)
        xhat -= mean
        with np.errstate(over="ignore"):
            s[...] = 1 / np.sqrt(_means(np.multiply(xhat, xhat, out=Y)) + epsilon)
        xhat *= s
        np.multiply(xhat, gamma, out=Y)
        Y += beta
        return Y, statistics, xhat

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        X, statistics, xhat = cache
        dY, gamma = self._rows(dy).astype(X.dtype, copy=False), self._gamma(X.dtype)
        dX, dgamma, dbeta = np.empty_like(X), np.zeros_like(gamma), np.zeros_like(gamma)
        if not compiled.layer_norm_back(X, dY, gamma, statistics, dX, dgamma, dbeta):
            mean, s = statistics
            if xhat is None:
                xhat = (X - X[:, :1] - mean) * s
            dbeta, dgamma = both_one_by_one(dY, xhat)
            dxhat = np.multiply(dY, gamma, out=dX)
            product = dxhat * xhat
            mean_dxhat, slope = _means(dxhat), _means(product)
            dxhat -= mean_dxhat
            dxhat -= np.multiply(xhat, slope, out=product)
            dxhat *= s
        few = {"gamma": dgamma, "beta": dbeta} if self.affine else {}
        grads = {key: grad.reshape(self.shape) for key, grad in few.items()}
        return narrowed(dy.dtype, _in_order_of(dy, dX) if need_dx else None, grads)


class RMSNorm(_OverLastAxes):
    """Divide each sample by its root mean square over the last axes, then scale each feature.

    Parameters
    ----------
    shape : int or tuple of int
        The sizes of the last axes.
    epsilon : float
        Added to the mean square.
    affine : bool
        Whether there is gamma; without it y = xhat.

    Notes
    -----
    *Forward*: xhat = x / r with r² = (1/n) Σ x_i² + epsilon; y = gamma ∘ xhat. That is `LayerNorm`
    without its means.

    *Gradient*: dgamma = Σ dy ∘ xhat, over all other axes.

    *Backward*: dxhat = gamma ∘ dy. x_i is reached directly and through r, with ∂r/∂x_i = x_i/(n r)
    and ∂xhat_j/∂r = -x_j/r² = -xhat_j/r:
    dx_i = dxhat_i / r - Σ_j dxhat_j xhat_j / r · xhat_i / n = (1/r) (dxhat_i - xhat_i ·
    mean(dxhat ∘ xhat)).

    *Shapes*: x and y (..., *shape); gamma shape.

    *Cache*: x as rows, and 1/r.

    Raises
    ------
    ValueError
        The last axes of x have other sizes; a size is not positive or epsilon negative.

    References
    ----------
    Zhang and Sennrich, Root mean square layer normalization (2019), section 3.

    Examples
    --------
    >>> layer = RMSNorm(2)
    >>> layer.forward(np.array([[1.0, 7.0], [-3.0, 3.0]])).round(3)
    array([[ 0.2,  1.4],
           [-1. ,  1. ]], dtype=float32)
    """

    @checks_kinds
    def __init__(
        self, shape: int | Sequence[int], epsilon: float = 1e-5, affine: bool = True
    ) -> None:
        self.shape = self._sizes(shape)
        self.epsilon = checked_epsilon("RMSNorm", epsilon)
        self.affine = bool(affine)
        self.params = {"gamma": np.ones(self.shape, np.float32)} if self.affine else {}

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = self._checked(x)
        X = self._rows(x)
        with np.errstate(over="ignore"):
            square = np.vecdot(X, X)
        if overflowed(square, X):
            X = X.astype(np.float64)
            square = np.vecdot(X, X)
        s = 1 / np.sqrt(square / X.shape[1] + self.epsilon)
        Y = np.outer(s, self._gamma(X.dtype))
        Y *= X
        return _in_order_of(x, Y), (X, s)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        X, s = cache
        dY, gamma = self._rows(dy).astype(X.dtype, copy=False), self._gamma(X.dtype)
        product = dY * X
        grads = {"gamma": (s @ product).reshape(self.shape)} if self.affine else {}
        if not need_dx:
            return narrowed(dy.dtype, None, grads)
        slope = s * (product @ gamma) / len(gamma)  # mean(dxhat ∘ xhat)
        dX = np.outer(s, gamma)
        dX *= dY
        dX -= np.multiply(X, (s * s * slope)[:, np.newaxis], out=product)
        return narrowed(dy.dtype, _in_order_of(dy, dX), grads)


def _means(rows: np.ndarray) -> np.ndarray:
    """The mean of each row, as a column."""
    return (by_lanes(rows) / rows.shape[1])[:, np.newaxis]


def _in_order_of(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows in the shape, dtype and order of memory of x."""
    y = rows.reshape(x.shape)
    if x.flags.c_contiguous and x.dtype == y.dtype:
        return y
    like = np.empty_like(x)
    like[...] = y
    return like


def _shortest(shape: tuple[int, ...]) -> Any:
    """The shortest way to write a shape: 3 for (3,)."""
    return shape if len(shape) > 1 else shape[0]
