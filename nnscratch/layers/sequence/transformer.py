"""One block of a transformer: attention across time, then an MLP at each step."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.activations import GELU
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.dropout import Dropout
from nnscratch.layers.linear import Linear
from nnscratch.layers.normalization import LayerNorm
from nnscratch.layers.sequence.multi_head import MultiHeadAttention
from nnscratch.layers.written import written

__all__ = ["TransformerBlock"]


class TransformerBlock(Layer):
    """u = x + attention(norm1(x)); y = u + output(GELU(hidden(norm2(u)))).

    Parameters
    ----------
    features, heads : int
        As for `MultiHeadAttention`.
    hidden : int
        Features between the two linear layers of the MLP, often 4 · features.
    causal : bool
        Whether step t sees only the steps up to t.
    dropout : float
        The share dropped, while training, from what is added to x and to u.
    rng : int, numpy.random.Generator or None
        Draws the weights, and what is dropped.

    Notes
    -----
    *Forward*: two `Residual`, each around a chain that begins with `LayerNorm` ("pre-norm"), so
    that from the last block to the first leads a path of sums alone, and gradients arrive there
    without a normalization in between. The first chain mixes steps, the second features.

    *Backward*: du = dy + what comes through the MLP, dx = du + what comes through the attention,
    as derived in `Residual`.

    *Gradient*: those of the layers inside, under `norm1.`, `attention.`, `norm2.`, `hidden.` and
    `output.`.

    *Shapes*: x and y (batch, time, features).

    *Cache*: those of the layers.

    Raises
    ------
    ValueError
        As for `MultiHeadAttention`, `Linear` and `Dropout`.

    References
    ----------
    Vaswani et al., Attention is all you need (2017), section 3.1; Xiong et al., On layer
    normalization in the transformer architecture (2020), for its place.

    Examples
    --------
    >>> block = TransformerBlock(8, heads=2, hidden=32, causal=True, rng=0)
    >>> block.forward(np.ones((4, 5, 8))).shape
    (4, 5, 8)
    >>> [*block.params][:3]
    ['norm1.gamma', 'norm1.beta', 'attention.W_q']
    """

    takes_out = True

    @checks_kinds
    def __init__(
        self,
        features: int,
        heads: int,
        hidden: int,
        causal: bool = False,
        dropout: float = 0.0,
        rng: Any = None,
    ) -> None:
        rng = np.random.default_rng(rng)
        self.norm1 = LayerNorm(features)
        self.attention = MultiHeadAttention(features, heads, causal=causal, rng=rng)
        self.features, self.heads = self.attention.features, self.attention.heads
        self.causal = self.attention.causal
        self.norm2 = LayerNorm(features)
        self.hidden = Linear(features, hidden, rng=rng)
        self.activation = GELU()
        self.output = Linear(hidden, features, rng=rng)
        self.chains: tuple[tuple[str, ...], ...] = (
            ("norm1", "attention"),
            ("norm2", "hidden", "activation", "output"),
        )
        self.dropout = float(dropout)
        if dropout:
            self.drop1, self.drop2 = Dropout(dropout, rng=rng), Dropout(dropout, rng=rng)
            self.chains = tuple((*c, f"drop{i}") for i, c in enumerate(self.chains, 1))

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x, self.dtype)
        caches = []
        for chain in self.chains:
            part = x
            for name in chain:
                part, cache = getattr(self, name).forward_pass(part)
                caches.append((cache, (part.shape, part.dtype)))
            x = x + part
        return x, caches

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        return self.backprop(dy, cache)[0]

    def gradient_pass(self, dy: np.ndarray, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.backprop(dy, cache, out, need_dx=False)[1]

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        left, found = list(cache), dict[str, Any]()
        for chain in reversed(self.chains):
            part: Any = dy
            for name in reversed(chain):
                layer = getattr(self, name)
                free = {key: out[f"{name}.{key}"] for key in layer.params if f"{name}.{key}" in out}
                need = need_dx or name != "norm1"
                part, grads = layer.backprop(part, left.pop()[0], free, need)
                found |= {f"{name}.{key}": grad for key, grad in grads.items()}
            dy = dy + part if part is not None else dy
        return (dy if need_dx else None), {name: found[name] for name in self.trained}

    def remember(self, cache: Any, form: Any) -> None:
        super().remember(cache, form)
        names = [name for chain in self.chains for name in chain]
        for name, kept in zip(names, cache or (), strict=False):
            getattr(self, name).remember(*kept)

    def __repr__(self) -> str:
        return written(self, hidden=self.hidden.out_features)
