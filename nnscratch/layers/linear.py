"""Linear maps and biases: the layers with weights of a multilayer perceptron."""

from __future__ import annotations

from functools import lru_cache
from operator import index
from typing import Any

import numpy as np

from nnscratch.initializers import Initializer, drawn, glorot_uniform
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating

__all__ = ["Bias", "Linear"]

# Where W is so many times as long as the batch, y lies in memory as (out, batch) behind its shape
# (batch, out): a BLAS spends its time on packing W then, least of it in that order.
FEW = 8


class Linear(Layer):
    """An affine map: y = W x + b, on one sample, on the rows of a batch, or on any last axis.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether there is a b.
    rng : int, numpy.random.Generator or None
        Draws W; b starts at zero.
    initializer : function of `nnscratch.initializers`
        `glorot_uniform` unless told; `he_normal` suits a ReLU behind the layer.

    Notes
    -----
    *Forward*: y = W x + b for one sample; a batch holds samples as rows, Y = X Wᵀ + b.

    *Backward*: ΔL = ⟨dy, W Δx⟩ = ⟨Wᵀ dy, Δx⟩, so dx = Wᵀ dy; in rows, dX = dY W.

    *Gradient*: ΔL = ⟨dy, ΔW x⟩ = trace(x dyᵀ ΔW) = ⟨dy xᵀ, ΔW⟩, so dW = dy xᵀ, and
    db = dy. A batch sums over its samples: dW = Σ dy xᵀ = dYᵀ X, db = the sum of dY's rows.

    *Shapes*: x (..., in_features), such as one sample (in_features,), a batch
    (batch, in_features) or sequences (batch, time, in_features), whose steps are rows too;
    y (..., out_features); W (out_features, in_features); b (out_features,).

    *Cache*: x.

    Raises
    ------
    ValueError
        x has another shape, or a size is not positive.

    References
    ----------
    [Proofs] 4 for one sample as a column; [Slides] "Linear Layer Derivative" for the batch,
    with W transposed.

    Examples
    --------
    >>> layer = Linear(3, 2, rng=0)
    >>> y = layer.forward(np.array([1.0, 2.0, 3.0]))
    >>> dx, grads = layer.backward([1.0, 10.0])
    >>> grads["W"]
    array([[ 1.,  2.,  3.],
           [10., 20., 30.]], dtype=float32)
    >>> layer.forward(np.zeros((5, 2, 2)))
    Traceback (most recent call last):
    ValueError: Linear(3, 2) expected (3,) or (batch, 3), received (5, 2, 2);
    put Flatten() before it and make it Linear(4, 2)
    >>> layer.forward(np.zeros((5, 4, 3))).shape
    (5, 4, 2)
    """

    @checks_kinds
    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        rng: Any = None,
        initializer: Initializer = glorot_uniform,
    ) -> None:
        in_features, out_features = index(in_features), index(out_features)
        if in_features < 1 or out_features < 1:
            raise ValueError(
                f"Linear expected sizes of at least 1, received {in_features} and {out_features}"
            )
        self.in_features, self.out_features, self.bias = in_features, out_features, bool(bias)
        W = drawn("Linear", initializer, (out_features, in_features), rng)
        # (in, out) in memory behind the shape (out, in): BLAS is faster that way round
        params = {"W": np.asfortranarray(W)}
        if bias:
            params["b"] = np.zeros(out_features, W.dtype)
        self.params = params

    takes_out = True

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        params = self.params
        W = params["W"]
        if type(x) is not np.ndarray or x.dtype is not W.dtype:
            x = floating(x, W.dtype)
        if x.shape[-1:] != (self.in_features,):
            self.refuse(f"({self.in_features},) or (batch, {self.in_features})", x, self._remedy(x))
        rows = x if x.ndim < 3 else x.reshape(-1, self.in_features)
        if x.ndim == 2 and FEW * len(x) <= max(W.shape):
            y = np.matmul(x, W.T, out=np.empty((self.out_features, len(x)), W.dtype).T)
        else:
            y = rows @ W.T
        if self.bias:
            y += params["b"]
        return y if x.ndim < 3 else y.reshape(*x.shape[:-1], self.out_features), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> np.ndarray:
        W = self.params["W"]
        if dy.ndim == 2:  # dx lies in memory as x does
            return np.matmul(dy, W, out=np.empty_like(x, dtype=dy.dtype))
        return dy @ W if dy.ndim < 3 else (_rows(dy) @ W).reshape(x.shape)

    def gradient_pass(self, dy: np.ndarray, x: np.ndarray, out: Out = NOWHERE) -> Grads:
        if dy.ndim != 2:
            dy, x = _rows(dy), _rows(x)
        product = np.multiply if len(x) == 1 else np.matmul  # of one sample: the outer product
        grads = {"W": product(dy.T, x, out=out.get("W"))}
        if self.bias:
            grads["b"] = _sum_over_batch(dy, out.get("b"))
        return grads

    def _remedy(self, x: np.ndarray) -> str:
        features = int(np.prod(x.shape[1:])) if x.ndim > 1 else x.size
        if x.ndim == 0 or features == 0:
            return "pass samples as rows"
        fitting = f"make it Linear({features}, {self.out_features})"
        if x.ndim < 3:
            return fitting + (" or transpose x" if x.shape[:1] == (self.in_features,) else "")
        return "put Flatten() before it" + (
            "" if features == self.in_features else f" and {fitting}"
        )

    def __repr__(self) -> str:
        bias = "" if self.bias else ", bias=False"
        return f"Linear({self.in_features}, {self.out_features}{bias})"


class Bias(Layer):
    """A learned shift: y = x + b, the Add layer of [Proofs].

    Parameters
    ----------
    features : int

    Notes
    -----
    *Forward*: y = x + b.

    *Backward*: Δy = Δx, so dx = dy.

    *Gradient*: Δy = Δb, so db = dy; a batch sums over its samples.

    *Shapes*: x and y (..., features), as for `Linear`; b (features,), zero at first.

    *Cache*: nothing.

    Raises
    ------
    ValueError
        x has another shape, or features is not positive.

    References
    ----------
    [Proofs] 5; [Recitation] rule 2(b).

    Examples
    --------
    >>> layer = Bias(2)
    >>> y = layer.forward(np.ones((3, 2)))
    >>> layer.backward(np.ones((3, 2)))[1]
    {'b': array([3., 3.], dtype=float32)}
    """

    @checks_kinds
    def __init__(self, features: int) -> None:
        features = index(features)
        if features < 1:
            raise ValueError(f"Bias expected a size of at least 1, received {features}")
        self.features = features
        self.params = {"b": np.zeros(features, np.float32)}

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        b = self.params["b"]
        x = floating(x, b.dtype)
        if x.shape[-1:] != b.shape:
            self.refuse(
                f"({self.features},) or (batch, {self.features})", x, "give Bias the size of x"
            )
        return x + b, None

    takes_out = True

    def backward_pass(self, dy: np.ndarray, cache: None) -> np.ndarray:
        return dy

    def gradient_pass(self, dy: np.ndarray, cache: None, out: Out = NOWHERE) -> Grads:
        return {"b": _sum_over_batch(_rows(dy), out.get("b"))}

    def __repr__(self) -> str:
        return f"Bias({self.features})"


def _rows(x: np.ndarray) -> np.ndarray:
    """x as rows, whatever axes stand before the last."""
    return x.reshape(-1, x.shape[-1])


def _sum_over_batch(dy: np.ndarray, out: np.ndarray | None) -> np.ndarray:
    """dy[0] + dy[1] + ... as a product, which is several times faster than `np.sum`."""
    return np.dot(_ones(len(dy), dy.dtype), dy, out=out)


@lru_cache(maxsize=8)  # a run has two sizes of batches, the last one being smaller
def _ones(length: int, dtype: np.dtype) -> np.ndarray:
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones
