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
from nnscratch.layers.normalization.standardize import (
    FAR,
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
    last axes of x; y = gamma ∘ xhat + beta. Training and evaluation are the same. With s = 1/σ and
    m = mean/σ for each row x, xhat = s x - m.

    *Gradient*: dgamma = Σ dy ∘ xhat = (dY ∘ X)ᵀ s - dYᵀ m and dbeta = Σ dy, over all rows.

    *Backward*: dxhat = gamma ∘ dy, and from there as derived in `BatchNorm`, with the means over
    the last axes: dx = (1/σ) (dxhat - mean(dxhat) - xhat · mean(dxhat ∘ xhat)). Here gamma
    changes along these axes, so it stays inside the means.

    *Shapes*: x and y (..., *shape); gamma and beta shape.

    *Cache*: the rows X, less their means where these are far from 0, s and m.

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
        X, mean, variance = _moments_of_rows(X)
        s = 1 / np.sqrt(variance + self.epsilon)
        gamma = self._gamma(X.dtype)
        beta = self.params["beta"].reshape(-1) if self.affine else np.zeros_like(gamma)
        m = mean * s
        Y = np.empty_like(X)
        if not compiled.scaled_rows(X, Y, s, gamma, m, beta):
            np.multiply(X, s[:, np.newaxis], out=Y)
            Y -= m[:, np.newaxis]
            Y *= gamma
            Y += beta
        return _in_order_of(x, Y), (X, s, m)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        X, s, m = cache
        dY, gamma = self._rows(dy), self._gamma(X.dtype)
        product = dY * X
        grads = {}
        if self.affine:
            dgamma = s @ product - m @ dY
            dbeta = np.ones_like(s) @ dY
            grads = {"gamma": dgamma.reshape(self.shape), "beta": dbeta.reshape(self.shape)}
        if not need_dx:
            return narrowed(dy.dtype, None, grads)
        n = len(gamma)
        mean = dY @ gamma / n  # of dxhat
        slope = (s * (product @ gamma) / n - m * mean) * s  # mean(dxhat ∘ xhat) / σ
        C, D = -s * slope, m * slope - s * mean
        dX = np.empty_like(X)
        if not compiled.combined_rows(X, dY, dX, s, gamma, C, D):
            np.outer(s, gamma, out=dX)
            dX *= dY
            dX += np.multiply(X, C[:, np.newaxis], out=product)
            dX += D[:, np.newaxis]
        return narrowed(dy.dtype, _in_order_of(dy, dX), grads)


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
        dY, gamma = self._rows(dy), self._gamma(X.dtype)
        product = dY * X
        grads = {"gamma": (s @ product).reshape(self.shape)} if self.affine else {}
        if not need_dx:
            return narrowed(dy.dtype, None, grads)
        slope = s * (product @ gamma) / len(gamma)  # mean(dxhat ∘ xhat)
        dX = np.outer(s, gamma)
        dX *= dY
        dX -= np.multiply(X, (s * s * slope)[:, np.newaxis], out=product)
        return narrowed(dy.dtype, _in_order_of(dy, dX), grads)


def _moments_of_rows(X: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(X, mean, variance) of each row; X is less its means if these are far from 0.

    In float64 where squares overflow float32.

    As `standardize.moments`, by products of matrices and vectors.
    """
    ones = np.full(X.shape[1], 1 / X.shape[1], X.dtype)
    mean = X @ ones
    with np.errstate(over="ignore", invalid="ignore"):
        square = np.vecdot(X, X) / X.shape[1]
        if overflowed(square, X):
            return _moments_of_rows(X.astype(np.float64))
        variance = square - mean * mean
        near = np.all(mean * mean <= FAR**2 * variance)
    if not near:
        X = X - mean[:, np.newaxis]
        mean = X @ ones  # what rounding left of it
        variance = np.vecdot(X, X) / X.shape[1] - mean * mean
    return X, mean, np.maximum(variance, 0)


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
