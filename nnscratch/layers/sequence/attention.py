"""Attention: every step asks all steps, and takes from each as much as its key answers."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.layers.operators.arithmetic import floating_inputs
from nnscratch.layers.wider import widened
from nnscratch.layers.written import written

__all__ = ["Attention"]


class Attended(NamedTuple):
    """What the backward pass needs of one attention, axes (..., time, features)."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    P: np.ndarray  # the weights (..., time of q, time of k)


class Attention(Layer):
    """Scaled dot-product attention: y = softmax(q kᵀ / √d) v.

    Parameters
    ----------
    causal : bool
        Whether step t sees only the steps up to t.

    Notes
    -----
    *Forward*: S = q kᵀ / √d, for each query its products with all keys; P = softmax of the rows of
    S; y = P v, a mean of the values with the weights P. Products of d numbers of variance 1 have
    variance d, which √d takes back: the softmax would otherwise be flat nowhere but at its ends.
    Causal, S is -∞ above the diagonal, so that P is 0 there.

    *Backward*: y = P v is a product of two matrices ([Operators] 5, right form), so

        dv = Pᵀ dy        dP = dy vᵀ

    P is a softmax in each row, whose Jacobian product was derived in `Softmax`:

        dS_i = P_i ∘ (dP_i - Σ_k dP_ik P_ik)

    with the sum that is forgotten most often. (It is dy_i · y_i too, by dP_ik = dy_i · v_k. But
    that rounds otherwise: where P is all but one-hot the difference is 0, and what rounding leaves
    of it is multiplied by keys that may be large.) And S is a product of two matrices again:

        dq = dS k / √d        dk = dSᵀ q / √d

    Where P is 0 dS is 0: what is not seen gets no gradient.

    *Shapes*: q (..., time, d), k (..., steps, d), v (..., steps, d_v), y (..., time, d_v), with
    equal axes before; causal needs time = steps.

    *Cache*: q, k, v and P. `weights` are the P of the last forward.

    Raises
    ------
    ValueError
        The shapes do not fit, or causal with unequal lengths.

    References
    ----------
    Vaswani et al., Attention is all you need (2017), section 3.2.1; [Operators] 5 and 10.

    Examples
    --------
    A query that is much like the second key takes the second value:

    >>> layer = Attention()
    >>> layer.forward([[0.0, 40.0]], [[1.0, 0.0], [0.0, 1.0]], [[5.0], [7.0]])
    array([[7.]])
    >>> layer.weights.round(3)
    array([[0., 1.]])
    """

    @checks_kinds
    def __init__(self, causal: bool = False) -> None:
        self.causal = bool(causal)

    def forward_pass(self, q: Any, k: Any, v: Any) -> tuple[np.ndarray, Any]:
        q, k, v = floating_inputs((q, k, v))
        shapes = q.shape, k.shape, v.shape
        if (
            min(x.ndim for x in (q, k, v)) < 2
            or len({shape[:-2] for shape in shapes}) > 1
            or q.shape[-1] != k.shape[-1]
            or k.shape[-2] != v.shape[-2]
        ):
            self.refuse(
                "q (..., time, d), k (..., steps, d) and v (..., steps, values)",
                " and ".join(map(str, shapes)),
                "give q and k the same features, and k and v the same steps",
            )
        check_causal(self, q, k)
        return attend(q, k, v, self.causal)

    def backward_pass(self, dy: np.ndarray, cache: Attended) -> tuple[np.ndarray, ...]:
        return attend_back(dy, cache)

    @property
    def weights(self) -> np.ndarray:
        """P (..., time of q, time of k) of the last forward: read it only."""
        if self.cache is None:
            raise RuntimeError(f"{self} has no weights yet; call forward first")
        return self.cache.P

    def __repr__(self) -> str:
        return written(self)


def attend(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, causal: bool, out: Any = None
) -> tuple[np.ndarray, Attended]:
    """softmax(q kᵀ / √d) v, into `out` if there is one; the scores of float16 in float32."""
    dtype = q.dtype
    q, k, v = widened(q), widened(k), widened(v)
    P = (q * q.dtype.type(scale_of(q))) @ k.swapaxes(-1, -2)
    if causal:
        P += _unseen(P.shape[-1], P.dtype)
    P -= P.max(axis=-1, keepdims=True, initial=-np.inf)
    np.exp(P, out=P)
    P /= P.sum(axis=-1, keepdims=True)
    y = np.matmul(P, v, out=out)
    return y.astype(dtype, copy=False), Attended(q, k, v, P)


def attend_back(dy: np.ndarray, cache: Attended, out: Any = (None,) * 3) -> tuple[np.ndarray, ...]:
    """(dq, dk, dv), into the three of `out` if there are."""
    q, k, v, P = cache
    dtype, dy = dy.dtype, widened(dy)
    dv = np.matmul(P.swapaxes(-1, -2), dy, out=out[2])
    dS = dy @ v.swapaxes(-1, -2)
    dS -= np.vecdot(dS, P)[..., np.newaxis]  # exactly 0 where P is one-hot
    dS *= P
    dS *= dS.dtype.type(scale_of(q))
    dq, dk = np.matmul(dS, k, out=out[0]), np.matmul(dS.swapaxes(-1, -2), q, out=out[1])
    return tuple(of.astype(dtype, copy=False) for of in (dq, dk, dv))


def scale_of(q: np.ndarray) -> float:
    """1 / √d."""
    return float(q.shape[-1]) ** -0.5


def check_causal(layer: Any, q: np.ndarray, k: np.ndarray) -> None:
    if layer.causal and q.shape[-2] != k.shape[-2]:
        layer.refuse(
            "as many keys as queries, since causal counts both from the same beginning",
            f"{q.shape[-2]} queries and {k.shape[-2]} keys",
            "leave out causal=True for attention to another sequence",
        )


@lru_cache(maxsize=8)
def _unseen(time: int, dtype: np.dtype) -> np.ndarray:
    """-∞ above the diagonal, else 0."""
    mask = np.triu(np.full((time, time), -np.inf, dtype), 1)
    mask.flags.writeable = False
    return mask
