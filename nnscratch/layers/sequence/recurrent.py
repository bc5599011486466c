"""Recurrent layers: all steps of a cell, with the products of all steps at once if possible."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Out
from nnscratch.layers.sequence.cells import checked_activation
from nnscratch.layers.sequence.packing import Packing, checked_lengths
from nnscratch.layers.sequence.weights import Recurrence

__all__ = ["RNN"]


class Recurrent(Recurrence):
    """What RNN, GRU and LSTM share: all but the steps themselves; not a layer by itself.

    A subclass writes `run` and `run_back`. Both work on rows (see `Packing`): those of X are the
    inputs, with a 1 behind them where there are biases, and `states` (batch + rows,
    hidden_features) begins with the first h of each sequence.
    """

    takes_lengths = True

    def set_up(
        self,
        in_features: int,
        hidden_features: int,
        return_state: bool,
        reverse: bool,
        bias: bool,
        rng: Any,
    ) -> None:
        self.return_state, self.reverse = bool(return_state), bool(reverse)
        self.output_count = 2 if return_state else None
        self.draw(in_features, hidden_features, bias, rng)

    def run(self, X: np.ndarray, state: np.ndarray, packing: Packing) -> tuple[np.ndarray, ...]:
        """(states, ...): every h, and what else `run_back` needs."""
        raise NotImplementedError

    def run_back(
        self, dH: np.ndarray, dstate: np.ndarray, kept: tuple[np.ndarray, ...], packing: Packing
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(dL/d(W_x x), dL/d(W_h h)) as rows, and dL/d(first state).

        `dH` has what came to each h from above, as rows, and `dstate` what came to the last state.
        """
        raise NotImplementedError

    def last_state(self, kept: tuple[np.ndarray, ...], packing: Packing) -> np.ndarray:
        return packing.last_states(kept[0])

    def forward_pass(self, x: Any, state: Any = None, *, lengths: Any = None) -> tuple[Any, Any]:
        x = self.checked(x, (3,), "(batch, time, features)")
        batch, time, _ = x.shape
        first = self.checked_state(state, (batch,))
        lengths = checked_lengths(self, lengths, batch, time)
        packing = Packing(batch, time, lengths, self.reverse)
        X = packing.pack(x)
        if self.bias:  # the weight of an input that is always 1
            X = np.concatenate([X, np.ones((len(X), 1), X.dtype)], axis=1)
        kept = self.run(X, packing.sort(first), packing)
        y = packing.unpack(kept[0][batch:])
        cache = X, kept, packing, state is not None
        return ((y, self.last_state(kept, packing)) if self.return_state else y), cache

    def backprop(
        self, dy: Any, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        X, kept, packing, given = cache
        dy, dstate = dy if self.return_state else (dy, None)
        if dy is None:
            dH = np.zeros((packing.rows, self.hidden_features), X.dtype)
        else:
            dH = packing.pack(dy)
        if dstate is None:
            dstate = np.zeros((packing.batch, self.state_features), X.dtype)
        da_x, da_h, dstate = self.run_back(dH, packing.sort(dstate), kept, packing)
        grads = self._gradients(da_x, da_h, X, packing.states_before(kept[0]))
        if not need_dx:
            return None, grads
        dx = packing.unpack(da_x @ self.params["W_x"])
        return ((dx, packing.unsort(dstate)) if given else dx), grads

    def _gradients(self, da_x: np.ndarray, da_h: np.ndarray, X: np.ndarray, H: np.ndarray) -> Grads:
        """One product for all steps: dW_x = Σ_t da(t) x(t)ᵀ, dW_h = Σ_t da(t) h(t-1)ᵀ."""
        if self._params.frozen:
            return {}
        if da_h is da_x:  # then both at once
            G = np.concatenate([X, H], axis=1).T @ da_x
            G_x, G_h = G[: X.shape[1]], G[X.shape[1] :]
        else:
            G_x, G_h = X.T @ da_x, H.T @ da_h
        grads = {"W_x": G_x[: self.in_features].T, "W_h": G_h.T}
        if self.bias:
            b_h = G_x[-1].copy() if da_h is da_x else np.ones(len(H), H.dtype) @ da_h
            grads |= {"b_x": G_x[-1], "b_h": b_h}
        return grads

    def from_x(self, X: np.ndarray, scale: Any = 1) -> np.ndarray:
        """One product for all steps: W_x x(t), and the biases that only add to it, times scale."""
        W_x = self.params["W_x"].T
        if self.bias:
            W_x = np.concatenate([W_x, self.added_bias()[np.newaxis]])
        return X @ (W_x * scale)

    def added_bias(self) -> np.ndarray:
        """What is added to W_x x(t) + W_h h(t-1)."""
        return self.params["b_x"] + self.params["b_h"]


def spaced(W: np.ndarray, scale: Any = 1) -> np.ndarray:
    """W times scale for the small products of the steps, its rows no power of two apart.

    Where they are, all numbers of a column want the same few places in the processor's cache, and
    to go down a column is to wait for memory: 32 x 256 times 256 x 1024 takes twice as long.
    """
    rows, columns = W.shape
    return np.multiply(W, scale, out=np.empty((rows, columns + 16), W.dtype)[:, :columns])


class RNN(Recurrent):
    """An Elman network along a sequence: h(t) = tanh(W_x x(t) + b_x + W_h h(t-1) + b_h).

    Parameters
    ----------
    in_features, hidden_features : int
    activation : "tanh" or "relu"
    return_state : bool
        Whether y is the tuple (y, state) with the state after the last step.
    reverse : bool
        Whether each sequence is read from its end to its beginning. y stays aligned with x, and
        the last state is that after step 0.
    bias : bool
        Whether there are b_x and b_h.
    rng : int, numpy.random.Generator or None
        Draws W_x and W_h; the biases start at zero.

    Notes
    -----
    *Forward*: `RNNCell` at every step. What x contributes waits for no state, so one product
    computes W_x x(t) + b_x + b_h for all steps; then each adds W_h h(t-1).

    *Backward*: unrolled, this is one deep network in which W_x, W_h and the biases stand once per
    step. A variable that is used several times adds its gradients, the same argument as for the
    windows of `Scan` ([Recitation], when to use = and when to use +=). It is used here on two
    kinds of variables. Each h(t) has two children, y(t) and step t+1:

        dh(t) = dy(t) + W_hᵀ da(t+1)        da(t) = dh(t) ∘ (1 - h(t)²)

    from the last step to the first, with what comes to the last state in place of
    W_hᵀ da(T); dh(-1) = W_hᵀ da(0) is the gradient by the first state. And dx(t) = W_xᵀ da(t).

    *Gradient*: the weights have a child in every step: dW_x = Σ_t da(t) x(t)ᵀ, dW_h = Σ_t da(t)
    h(t-1)ᵀ, db_x = db_h = Σ_t da(t). With the steps of all samples as rows the sums over t and
    over the batch are one product each.

    *Shapes*: x (batch, time, in_features), y (batch, time, hidden_features), state (batch,
    hidden_features), which may be left out for zeros. `forward(x, lengths=...)`, N ints of at
    least 1, counts only so many steps of each sequence: y is 0 beyond, the last state is that of
    the last counted step, and what x holds there is not looked at.

    *Cache*: x and every h as rows.

    Raises
    ------
    ValueError
        x, the state or lengths have another shape, a length is not in 1 ... time; a size is not
        positive, or the activation is no such word.

    References
    ----------
    Elman, Finding structure in time (1990); Werbos, Backpropagation through time (1990);
    [Recitation] Example 2 for weights shared along a sequence.

    Examples
    --------
    >>> rnn = RNN(3, 2, rng=0, return_state=True)
    >>> y, state = rnn.forward(np.ones((4, 5, 3)), lengths=[5, 2, 3, 1])
    >>> y.shape, state.shape
    ((4, 5, 2), (4, 2))
    >>> bool((y[1, 1] == state[1]).all()), bool((y[1, 2:] == 0).all())
    (True, True)
    """

    @checks_kinds
    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        activation: str = "tanh",
        return_state: bool = False,
        reverse: bool = False,
        bias: bool = True,
        rng: Any = None,
    ) -> None:
        self.activation = checked_activation("RNN", activation)
        self.set_up(in_features, hidden_features, return_state, reverse, bias, rng)

    def run(self, X: np.ndarray, state: np.ndarray, packing: Packing) -> tuple[np.ndarray, ...]:
        batch, W_h = packing.batch, spaced(self.params["W_h"].T)
        states = np.concatenate([state, self.from_x(X)])
        H, product = states[batch:], np.empty_like(state)
        for now, before in packing.steps:
            h, a = H[now], product[: now.stop - now.start]
            h += np.matmul(states[before], W_h, out=a)
            if self.activation == "tanh":
                np.tanh(h, out=h)
            else:
                np.maximum(h, 0, out=h)
        return (states,)

    def run_back(
        self, dH: np.ndarray, dstate: np.ndarray, kept: tuple[np.ndarray, ...], packing: Packing
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        H, W_h = kept[0][packing.batch :], spaced(self.params["W_h"])
        dA = 1 - H * H if self.activation == "tanh" else (H > 0).astype(H.dtype)
        dstate = dstate.copy()
        for now, _ in reversed(packing.steps):
            dh = dstate[: now.stop - now.start]
            dh += dH[now]
            da = dA[now]
            da *= dh
            np.matmul(da, W_h, out=dh)
        return dA, dA, dstate
