"""Recurrent cells: one step in time, from an input and a state to the next state.

These are the formulas as they stand in the papers, and their derivation. `Unroll` repeats one
along a sequence; the layers RNN, GRU and LSTM compute the same faster.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.activations.sigmoids import sigmoid
from nnscratch.layers.base import NOWHERE, Grads, Out
from nnscratch.layers.sequence.weights import Cell

__all__ = ["GRUCell", "LSTMCell", "RNNCell"]

ACTIVATIONS = ("tanh", "relu")


class RNNCell(Cell):
    """One step of an Elman network: h' = tanh(W_x x + b_x + W_h h + b_h).

    Parameters
    ----------
    in_features, hidden_features : int
    activation : "tanh" or "relu"
    bias : bool
        Whether there are b_x and b_h. (One would do; there are two as in torch and cuDNN.)
    rng : int, numpy.random.Generator or None
        Draws W_x and W_h; the biases start at zero.

    Notes
    -----
    *Forward*: a = W_x x + b_x + W_h h + b_h; h' = tanh a, or max(a, 0).

    *Backward*: da = dh' ∘ (1 - h'²), or dh' ∘ 1(a > 0); then, as for `Linear`, dx = W_xᵀ da and
    dh = W_hᵀ da.

    *Gradient*: dW_x = da xᵀ, dW_h = da hᵀ, db_x = db_h = da; a batch sums over its samples.

    *Shapes*: x (batch, in_features), h and h' (batch, hidden_features), or one sample each; the
    state may be left out for zeros. W_x (hidden_features, in_features), W_h (hidden_features,
    hidden_features).

    *Cache*: x, h, h', and whether h was given.

    Raises
    ------
    ValueError
        x or h has another shape; a size is not positive, or the activation is no such word.

    References
    ----------
    Elman, Finding structure in time (1990); [Recitation] 2 for the two linear maps.

    Examples
    --------
    >>> cell = RNNCell(3, 2, rng=0)
    >>> h = cell.forward(np.ones((4, 3)), np.zeros((4, 2)))
    >>> h = cell.forward(np.ones((4, 3)), h)
    >>> (dx, dh), grads = cell.backward(np.ones((4, 2)))
    >>> dx.shape, dh.shape, grads["W_h"].shape
    ((4, 3), (4, 2), (2, 2))
    """

    @checks_kinds
    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        activation: str = "tanh",
        bias: bool = True,
        rng: Any = None,
    ) -> None:
        self.activation = checked_activation("RNNCell", activation)
        self.draw(in_features, hidden_features, bias, rng)

    def forward_pass(self, x: Any, state: Any = None) -> tuple[np.ndarray, Any]:
        given = state is not None
        x, h = self.inputs(x, state)
        a = self.from_x(x) + self.from_h(h)
        y = np.tanh(a) if self.activation == "tanh" else np.maximum(a, 0)
        return y, (x, h, y, given)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        x, h, y, given = cache
        da = dy * (1 - y * y) if self.activation == "tanh" else dy * (y > 0)
        grads = self.gradients(da, da, x, h)
        if not need_dx:
            return None, grads
        dx = da @ self.params["W_x"]
        return ((dx, da @ self.params["W_h"]) if given else dx), grads


class GRUCell(Cell):
    """One step of a gated recurrent unit: h' = (1 - z) ∘ n + z ∘ h.

    Parameters
    ----------
    in_features, hidden_features : int
    bias : bool
        Whether there are b_x and b_h.
    rng : int, numpy.random.Generator or None

    Notes
    -----
    *Forward*: with u = W_x x + b_x and v = W_h h + b_h, each of three blocks r, z, n,

        r = σ(u_r + v_r)          how much of the past the new value looks at
        z = σ(u_z + v_z)          how much of the past is kept
        n = tanh(u_n + r ∘ v_n)   the new value
        h' = (1 - z) ∘ n + z ∘ h

    That r multiplies v_n rather than h is torch's and cuDNN's formula (the paper's second
    version), for which one product W_h h serves all three.

    *Backward*: h reaches h' on two ways, past the gates and through v, whose gradients add up:

        dn = dh' ∘ (1 - z)        da_n = dn ∘ (1 - n²)
        dz = dh' ∘ (h - n)        da_z = dz ∘ z (1 - z)
        dr = da_n ∘ v_n           da_r = dr ∘ r (1 - r)
        du = (da_r, da_z, da_n)   dv = (da_r, da_z, da_n ∘ r)
        dx = W_xᵀ du              dh = W_hᵀ dv + dh' ∘ z

    *Gradient*: dW_x = du xᵀ, dW_h = dv hᵀ, db_x = du, db_h = dv; a batch sums over its samples.

    *Shapes*: as for `RNNCell`, with 3 · hidden_features rows in W_x, W_h, b_x and b_h.

    *Cache*: x, h, r, z, n, v_n, and whether h was given.

    Raises
    ------
    ValueError
        x or h has another shape; a size is not positive.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder (2014), with r and z as
    in its appendix and z and 1 - z exchanged as in torch.

    Examples
    --------
    >>> cell = GRUCell(3, 2, rng=0)
    >>> cell.params["b_x"] = [0, 0, 99, 99, 0, 0]  # z = 1: nothing is ever forgotten
    >>> cell.forward(np.ones((1, 3)), np.array([[0.25, -0.5]]))
    array([[ 0.25, -0.5 ]], dtype=float32)
    """

    gates = 3

    @checks_kinds
    def __init__(
        self, in_features: int, hidden_features: int, bias: bool = True, rng: Any = None
    ) -> None:
        self.draw(in_features, hidden_features, bias, rng)

    def forward_pass(self, x: Any, state: Any = None) -> tuple[np.ndarray, Any]:
        given = state is not None
        x, h = self.inputs(x, state)
        u_r, u_z, u_n = np.split(self.from_x(x), 3, axis=-1)
        v_r, v_z, v_n = np.split(self.from_h(h), 3, axis=-1)
        r, z = sigmoid(u_r + v_r), sigmoid(u_z + v_z)
        n = np.tanh(u_n + r * v_n)
        return (1 - z) * n + z * h, (x, h, r, z, n, v_n, given)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        x, h, r, z, n, v_n, given = cache
        da_n = dy * (1 - z) * (1 - n * n)
        da_z = dy * (h - n) * (z * (1 - z))
        da_r = da_n * v_n * (r * (1 - r))
        du = np.concatenate([da_r, da_z, da_n], axis=-1)
        dv = np.concatenate([da_r, da_z, da_n * r], axis=-1)
        grads = self.gradients(du, dv, x, h)
        if not need_dx:
            return None, grads
        dx = du @ self.params["W_x"]
        return ((dx, dv @ self.params["W_h"] + dy * z) if given else dx), grads


class LSTMCell(Cell):
    """One step of a long short-term memory: c' = f ∘ c + i ∘ g, h' = o ∘ tanh c'.

    Parameters
    ----------
    in_features, hidden_features : int
    bias : bool
        Whether there are b_x and b_h.
    rng : int, numpy.random.Generator or None
        Draws W_x and W_h; the biases start at zero, but for the forget gate's b_x, which starts
        at 1, so that at first more is kept than forgotten.

    Notes
    -----
    *Forward*: with a = W_x x + b_x + W_h h + b_h, of four blocks i, f, g, o,

        i = σ(a_i)  f = σ(a_f)  g = tanh(a_g)  o = σ(a_o)
        c' = f ∘ c + i ∘ g        a sum: what is kept and what is new
        h' = o ∘ tanh c'

    *Backward*: c' goes to h' and on to the next step, so its gradients add up; from there on one
    path leads back without any matrix, which is why gradients last:

        dc' = dc'(next step) + dh' ∘ o ∘ (1 - tanh² c')
        da_i = dc' ∘ g ∘ i (1 - i)     da_f = dc' ∘ c ∘ f (1 - f)
        da_g = dc' ∘ i ∘ (1 - g²)      da_o = dh' ∘ tanh c' ∘ o (1 - o)
        dx = W_xᵀ da     dh = W_hᵀ da     dc = dc' ∘ f

    *Gradient*: dW_x = da xᵀ, dW_h = da hᵀ, db_x = db_h = da; a batch sums over its samples.

    *Shapes*: x (batch, in_features), states (batch, 2 · hidden_features), h before c, or one
    sample each; W_x, W_h, b_x and b_h have 4 · hidden_features rows.

    *Cache*: x, h, c, the four gates, tanh c', and whether the state was given.

    Raises
    ------
    ValueError
        x or the state has another shape; a size is not positive.

    References
    ----------
    Hochreiter and Schmidhuber, Long short-term memory (1997); Gers et al., Learning to forget
    (2000) for f and its first bias.

    Examples
    --------
    >>> cell = LSTMCell(3, 2, rng=0)
    >>> state = cell.forward(np.ones((4, 3)))  # h and c side by side
    >>> state = cell.forward(np.ones((4, 3)), state)
    >>> (dx, dstate), grads = cell.backward(np.ones((4, 4)))
    >>> dx.shape, dstate.shape
    ((4, 3), (4, 4))
    """

    gates = 4
    state_parts = 2

    @checks_kinds
    def __init__(
        self, in_features: int, hidden_features: int, bias: bool = True, rng: Any = None
    ) -> None:
        self.draw(in_features, hidden_features, bias, rng)

    def first_bias(self) -> np.ndarray:
        return open_forget_gate(self.hidden_features)

    def forward_pass(self, x: Any, state: Any = None) -> tuple[np.ndarray, Any]:
        given = state is not None
        x, state = self.inputs(x, state)
        h, c = np.split(state, 2, axis=-1)
        a_i, a_f, a_g, a_o = np.split(self.from_x(x) + self.from_h(h), 4, axis=-1)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c_next = f * c + i * g
        tanh_c = np.tanh(c_next)
        y = np.concatenate([o * tanh_c, c_next], axis=-1)
        return y, (x, h, c, i, f, g, o, tanh_c, given)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        x, h, c, i, f, g, o, tanh_c, given = cache
        dh, dc = np.split(dy, 2, axis=-1)
        dc = dc + dh * o * (1 - tanh_c * tanh_c)
        da_i = dc * g * (i * (1 - i))
        da_f = dc * c * (f * (1 - f))
        da_g = dc * i * (1 - g * g)
        da_o = dh * tanh_c * (o * (1 - o))
        da = np.concatenate([da_i, da_f, da_g, da_o], axis=-1)
        grads = self.gradients(da, da, x, h)
        if not need_dx:
            return None, grads
        dx = da @ self.params["W_x"]
        if not given:
            return dx, grads
        return (dx, np.concatenate([da @ self.params["W_h"], dc * f], axis=-1)), grads


def checked_activation(name: str, activation: str) -> str:
    if activation not in ACTIVATIONS:
        raise ValueError(
            f'{name} expected activation to be "tanh" or "relu", received {activation!r}'
        )
    return activation


def open_forget_gate(hidden: int) -> np.ndarray:
    """b_x of an LSTM before training: 1 for the block f, else 0."""
    bias = np.zeros(4 * hidden, np.float32)
    bias[hidden : 2 * hidden] = 1
    return bias
