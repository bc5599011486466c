"""Several attentions side by side, each with its own view of the features."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.initializers import glorot_uniform
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.sequence.attention import attend, attend_back, check_causal
from nnscratch.layers.written import written

__all__ = ["MultiHeadAttention"]


class MultiHeadAttention(Layer):
    """Attention of several heads: y = W_o [head_1, ..., head_h] + b_o.

    Parameters
    ----------
    features : int
    heads : int
        A divisor of the features; each head has features / heads of them.
    causal : bool
        Whether step t sees only the steps up to t.
    bias : bool
        Whether there are b_q, b_k, b_v and b_o.
    rng : int, numpy.random.Generator or None
        Draws the weights; the biases start at zero.

    Notes
    -----
    *Forward*: Q = q W_qᵀ + b_q, K and V likewise; head j is the `Attention` of the j-th
    features / heads neighbouring columns of Q, K and V; y = [heads] W_oᵀ + b_o.

    *Backward*: through `Linear`, `Attention` in each head, and three times `Linear`. With
    `forward(x)`, self-attention, x is q, k and v, so its three gradients add up ([Recitation],
    rule 4(b)).

    *Gradient*: those of four `Linear`.

    *Shapes*: q (batch, time, features), k and v (batch, steps, features), y (batch, time,
    features); W_q, W_k, W_v, W_o (features, features), b_q, b_k, b_v, b_o (features,).
    `forward(q, k, v)` gives dx as a tuple.

    *Cache*: q, k, v, the heads' attentions, and y before W_o. `weights` are those of the last
    forward, (batch, heads, time, steps).

    Raises
    ------
    ValueError
        The shapes do not fit, or causal with unequal lengths; heads do not divide the features.

    References
    ----------
    Vaswani et al., Attention is all you need (2017), section 3.2.2.

    Examples
    --------
    >>> layer = MultiHeadAttention(6, heads=2, causal=True, rng=0)
    >>> layer.forward(np.ones((4, 3, 6))).shape
    (4, 3, 6)
    >>> layer.weights[0, 0].round(2)
    array([[1.  , 0.  , 0.  ],
           [0.5 , 0.5 , 0.  ],
           [0.33, 0.33, 0.33]], dtype=float32)
    """

    @checks_kinds
    def __init__(
        self,
        features: int,
        heads: int,
        causal: bool = False,
        bias: bool = True,
        rng: Any = None,
    ) -> None:
        self.features, self.heads = index(features), index(heads)
        if self.heads < 1 or self.features < 1 or self.features % self.heads:
            raise ValueError(
                "MultiHeadAttention expected heads that divide the features, received "
                f"{features} features and {heads} heads"
            )
        self.causal, self.bias = bool(causal), bool(bias)
        rng, size = np.random.default_rng(rng), self.features
        params = {
            f"W_{name}": np.asfortranarray(glorot_uniform((size, size), rng)) for name in "qkvo"
        }
        if bias:
            params |= {f"b_{name}": np.zeros(size, np.float32) for name in "qkvo"}
        self.params = params

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        if len(inputs) not in (1, 3):
            raise ValueError(
                f"{self} expected x, or q, k and v, received {len(inputs)} inputs; "
                "for keys and values from the same sequence pass it twice"
            )
        x = [self._checked(given) for given in inputs]
        q, k, v = x if len(x) == 3 else x * 3
        if k.shape != v.shape or len(q) != len(k):
            received = " and ".join(str(given.shape) for given in (q, k, v))
            self.refuse("k and v of one shape, and as many samples in q", received, "check them")
        check_causal(self, q, k)
        Q, K, V = (self._linear(name, given) for name, given in zip("qkv", (q, k, v), strict=True))
        y = np.empty_like(Q)
        Q, K, V = self._split(Q), self._split(K), self._split(V)
        _, kept = attend(Q, K, V, self.causal, out=self._split(y))
        return self._linear("o", y), (x, kept, y)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        x, kept, y = cache
        dheads, grads = self._linear_back("o", dy, y)
        steps = x[-1].shape
        parts = [np.empty(shape, dy.dtype) for shape in (y.shape, steps, steps)]
        attend_back(self._split(dheads), kept, [self._split(part) for part in parts])
        dx = []
        for name, part, given in zip("qkv", parts, x if len(x) == 3 else x * 3, strict=True):
            dpart, found = self._linear_back(name, part, given, need_dx)
            dx.append(dpart)
            grads |= found
        grads = {name: grads[name] for name in self.trained}
        if not need_dx:
            return None, grads
        return (tuple(dx) if len(x) == 3 else dx[0] + dx[1] + dx[2]), grads

    def _checked(self, x: Any) -> np.ndarray:
        x = floating(x, self.dtype)
        if x.ndim != 3 or x.shape[2] != self.features:
            remedy = "one sequence is a batch of one, x[np.newaxis]"
            if x.ndim == 3:
                remedy = f"make it {written(self, features=x.shape[2])}"
            self.refuse(f"(batch, time, {self.features})", x, remedy)
        return x

    def _split(self, x: np.ndarray) -> np.ndarray:
        """(batch, time, features) -> (batch, heads, time, features / heads), a view."""
        size = self.features // self.heads
        return x.reshape(*x.shape[:2], self.heads, size).swapaxes(1, 2)

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        y = x.reshape(-1, self.features) @ self.params[f"W_{name}"].T
        if self.bias:
            y += self.params[f"b_{name}"]
        return y.reshape(x.shape)

    def _linear_back(
        self, name: str, dy: np.ndarray, x: np.ndarray, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        rows = dy.reshape(-1, self.features)
        grads = {}
        if not self._params.frozen:
            grads[f"W_{name}"] = rows.T @ x.reshape(-1, self.features)
            if self.bias:
                grads[f"b_{name}"] = np.ones(len(rows), rows.dtype) @ rows
        dx = (rows @ self.params[f"W_{name}"]).reshape(x.shape) if need_dx else None
        return dx, grads

    @property
    def weights(self) -> np.ndarray:
        """The weights (batch, heads, time, steps) of the last forward: read them only."""
        if self.cache is None:
            raise RuntimeError(f"{self} has no weights yet; call forward first")
        return self.cache[1].P

    def __repr__(self) -> str:
        return written(self)
