"""The long short-term memory along a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch import compiled
from nnscratch.kinds import checks_kinds
from nnscratch.layers.sequence.cells import open_forget_gate
from nnscratch.layers.sequence.packing import Packing
from nnscratch.layers.sequence.recurrent import Recurrent, spaced

__all__ = ["LSTM"]


class LSTM(Recurrent):
    """A long short-term memory along a sequence: `LSTMCell` at every step.

    Parameters
    ----------
    in_features, hidden_features : int
    return_state, reverse, bias, rng
        As for `RNN`; the forget gate's b_x starts at 1.

    Notes
    -----
    *Forward*: the formulas of `LSTMCell`. All σ and tanh of a step are one call of tanh, since
    σ(a) = (1 + tanh(a/2)) / 2: the rows of W_x, W_h and b of the three σ are halved beforehand.

    *Backward*: as derived for `RNN`, with the cell's formulas: h(t) and c(t) both have the next
    step for a child, and h(t) also y(t).

    *Gradient*: as for `RNN`; da has the four blocks i, f, g, o.

    *Shapes*: as for `RNN`, with states (batch, 2 · hidden_features), h before c, and 4 ·
    hidden_features rows in W_x, W_h, b_x and b_h.

    *Cache*: x, the four gates, and every h, c and tanh c, as rows. In the memory of a step its
    gates lie one after the other, (4, batch, hidden), since NumPy goes faster through numbers that
    are neighbours; in that of their gradients they lie side by side, as the products want them.
    All of a step but products and tanh is one compiled loop, or `step` and `step_back` below.

    Raises
    ------
    ValueError
        As for `RNN`.

    References
    ----------
    Hochreiter and Schmidhuber, Long short-term memory (1997); Gers et al., Learning to forget
    (2000).

    Examples
    --------
    >>> lstm = LSTM(3, 2, rng=0, return_state=True)
    >>> y, state = lstm.forward(np.ones((4, 5, 3)))
    >>> y.shape, state.shape, bool((state[:, :2] == y[:, -1]).all())
    ((4, 5, 2), (4, 4), True)
    >>> y, state = lstm.forward(np.ones((4, 7, 3)), state)  # and on from there
    """

    gates = 4
    state_parts = 2

    @checks_kinds
    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        return_state: bool = False,
        reverse: bool = False,
        bias: bool = True,
        rng: Any = None,
    ) -> None:
        self.set_up(in_features, hidden_features, return_state, reverse, bias, rng)

    def first_bias(self) -> np.ndarray:
        return open_forget_gate(self.hidden_features)

    def last_state(self, kept: tuple[np.ndarray, ...], packing: Packing) -> np.ndarray:
        return np.concatenate([packing.last_states(part) for part in kept[:2]], axis=1)

    def run(self, X: np.ndarray, state: np.ndarray, packing: Packing) -> tuple[np.ndarray, ...]:
        batch, hidden = packing.batch, self.hidden_features
        half = np.full(4 * hidden, 0.5, X.dtype)
        half[2 * hidden : 3 * hidden] = 1  # g is a tanh by itself
        W_h, A = spaced(self.params["W_h"].T, half), self.from_x(X, half)
        states = np.empty((batch + packing.rows, hidden), X.dtype)
        c_states, tanh_c = np.empty_like(states), np.empty((packing.rows, hidden), X.dtype)
        states[:batch], c_states[:batch] = state[:, :hidden], state[:, hidden:]
        product, work = np.empty((batch, 4 * hidden), X.dtype), np.empty((batch, hidden), X.dtype)
        for now, before in packing.steps:
            size = now.stop - now.start
            a, gates, c, tanh_now = product[:size], A[now], c_states[batch:][now], tanh_c[now]
            np.matmul(states[before], W_h, out=a)
            a += gates
            gates = gates.reshape(4, size, hidden)
            np.tanh(a.reshape(size, 4, hidden).transpose(1, 0, 2), out=gates)
            if not compiled.lstm(gates, c_states[before], c):
                step(gates, c_states[before], c, work[:size])
            np.tanh(c, out=tanh_now)
            np.multiply(gates[3], tanh_now, out=states[batch:][now])
        return states, c_states, A, tanh_c

    def run_back(
        self, dH: np.ndarray, dstate: np.ndarray, kept: tuple[np.ndarray, ...], packing: Packing
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        _, c_states, A, tanh_c = kept
        hidden = self.hidden_features
        W_h, dA = spaced(self.params["W_h"]), np.empty_like(A)
        dstate_h, dstate_c = dstate[:, :hidden].copy(), dstate[:, hidden:].copy()
        work = np.empty((5, *dstate_h.shape), A.dtype)
        for now, before in reversed(packing.steps):
            size = now.stop - now.start
            gates, c, da = A[now].reshape(4, size, hidden), c_states[before], dA[now]
            dh, dc = dstate_h[:size], dstate_c[:size]
            given = dH[now], gates, tanh_c[now], c, dh, dc, da.reshape(size, 4, hidden)
            if not compiled.lstm_back(*given):
                step_back(*given, work[:, :size])
            np.matmul(da, W_h, out=dh)
        return dA, dA, np.concatenate([dstate_h, dstate_c], axis=1)


def step(gates: np.ndarray, c: np.ndarray, c_next: np.ndarray, work: np.ndarray) -> None:
    """i, f, g, o from the tanh of their sums, in their place, and c' = f ∘ c + i ∘ g."""
    i, f, g, o = gates
    for sigmoids in (gates[:2], o):
        sigmoids *= 0.5
        sigmoids += 0.5
    np.multiply(f, c, out=c_next)
    c_next += np.multiply(i, g, out=work)


def step_back(
    dy: np.ndarray,
    gates: np.ndarray,
    tanh_c: np.ndarray,
    c: np.ndarray,
    dh: np.ndarray,
    dc: np.ndarray,
    da: np.ndarray,
    work: np.ndarray,
) -> None:
    """da (batch, 4, hidden), and in the place of dc' what goes on to c; dh is used up."""
    i, f, g, o = gates
    parts, dtanh = work[:4], work[4]
    dh += dy
    np.multiply(tanh_c, tanh_c, out=dtanh)  # dc' += dh o (1 - tanh²)
    np.subtract(1, dtanh, out=dtanh)
    dtanh *= o
    dtanh *= dh
    dc += dtanh
    np.subtract(1, gates, out=parts)  # the slopes: y (1 - y) of σ, 1 - y² of tanh
    parts *= gates
    np.multiply(g, g, out=parts[2])
    np.subtract(1, parts[2], out=parts[2])
    parts[0] *= g
    parts[1] *= c
    parts[2] *= i
    parts[3] *= tanh_c
    blocks = da.transpose(1, 0, 2)
    np.multiply(parts[:3], dc, out=blocks[:3])
    np.multiply(parts[3], dh, out=blocks[3])
    dc *= f
