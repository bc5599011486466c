"""The gated recurrent unit along a sequence."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.sequence.packing import Packing
from nnscratch.layers.sequence.recurrent import Recurrent, spaced

__all__ = ["GRU"]


class GRU(Recurrent):
    """A gated recurrent unit along a sequence: `GRUCell` at every step.

    Parameters
    ----------
    in_features, hidden_features : int
    return_state, reverse, bias, rng
        As for `RNN`.

    Notes
    -----
    *Forward*: the formulas of `GRUCell`, with one product for all inputs, and σ computed as
    (1 + tanh(a/2)) / 2.

    *Backward*: as derived for `RNN`, with the cell's formulas. Here h(t) has three children: y(t),
    the gates of the next step, and past them h(t+1) itself.

    *Gradient*: as for `RNN`, with du (blocks r, z, n) for W_x and dv, in which the third block is
    multiplied by r, for W_h.

    *Shapes*: as for `RNN`, with 3 · hidden_features rows in W_x, W_h, b_x and b_h.

    *Cache*: x, the three gates, v_n, and every h, as rows; see `LSTM` for their memory.

    Raises
    ------
    ValueError
        As for `RNN`.

    References
    ----------
    Cho et al., Learning phrase representations using RNN encoder-decoder (2014), in torch's form.

    Examples
    --------
    >>> gru = GRU(3, 2, rng=0, reverse=True, return_state=True)
    >>> y, state = gru.forward(np.ones((4, 5, 3)))
    >>> y.shape, bool((state == y[:, 0]).all())
    ((4, 5, 2), True)
    """

    gates = 3

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

    def added_bias(self) -> np.ndarray:
        bias = self.params["b_x"].copy()
        bias[: 2 * self.hidden_features] += self.params["b_h"][: 2 * self.hidden_features]
        return bias

    def run(self, X: np.ndarray, state: np.ndarray, packing: Packing) -> tuple[np.ndarray, ...]:
        batch, hidden = packing.batch, self.hidden_features
        half = np.full(3 * hidden, 0.5, X.dtype)
        half[2 * hidden :] = 1  # n is a tanh by itself
        W_h, U = spaced(self.params["W_h"].T, half), self.from_x(X, half)
        b_n = self.params["b_h"][2 * hidden :] if self.bias else 0  # r multiplies it
        states = np.empty((batch + packing.rows, hidden), X.dtype)
        V_n = np.empty((packing.rows, hidden), X.dtype)
        states[:batch] = state
        product, work = np.empty((2, batch, 3 * hidden), X.dtype)
        for now, before in packing.steps:
            size = now.stop - now.start
            u, v_n, h, h_next = U[now], V_n[now], states[before], states[batch:][now]
            v = np.matmul(h, W_h, out=product[:size]).reshape(size, 3, hidden).transpose(1, 0, 2)
            u_blocks = u.reshape(size, 3, hidden).transpose(1, 0, 2)
            gates = work[:size].reshape(3, size, hidden)
            np.add(u_blocks[:2], v[:2], out=gates[:2])
            np.tanh(gates[:2], out=gates[:2])
            gates[:2] *= 0.5
            gates[:2] += 0.5
            r, z, n = gates
            np.add(v[2], b_n, out=v_n)
            np.multiply(r, v_n, out=n)
            n += u_blocks[2]
            np.tanh(n, out=n)
            np.subtract(h, n, out=h_next)  # h' = n + z (h - n)
            h_next *= z
            h_next += n
            u.reshape(gates.shape)[...] = gates
        return states, U, V_n

    def run_back(
        self, dH: np.ndarray, dstate: np.ndarray, kept: tuple[np.ndarray, ...], packing: Packing
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        states, gates_of_all, V_n = kept
        hidden = self.hidden_features
        W_h, dstate = spaced(self.params["W_h"]), dstate.copy()
        dU, dV = np.empty_like(gates_of_all), np.empty_like(gates_of_all)
        work, product = np.empty(3 * dstate.size, dU.dtype), np.empty_like(dstate)
        for now, before in reversed(packing.steps):
            size = now.stop - now.start
            r, z, n = gates_of_all[now].reshape(3, size, hidden)
            da = work[: 3 * size * hidden].reshape(3, size, hidden)
            da_r, da_z, da_n = da
            dh, slope = dstate[:size], product[:size]
            dh += dH[now]
            np.subtract(states[before], n, out=da_z)  # da_z = dh (h - n) z (1 - z)
            da_z *= dh
            np.multiply(dh, z, out=slope)  # what passes the gates, z dh
            np.subtract(dh, slope, out=dh)  # and what goes to n
            np.multiply(n, n, out=da_n)
            np.subtract(1, da_n, out=da_n)
            da_n *= dh
            np.subtract(1, z, out=dh)
            dh *= z
            da_z *= dh
            np.subtract(1, r, out=dh)  # da_r = da_n v_n r (1 - r)
            dh *= r
            dh *= V_n[now]
            np.multiply(da_n, dh, out=da_r)
            u, v = dU[now].reshape(size, 3, hidden), dV[now]
            u.transpose(1, 0, 2)[...] = da
            da_n *= r
            v.reshape(size, 3, hidden).transpose(1, 0, 2)[...] = da
            np.matmul(v, W_h, out=dh)
            dh += slope
        return dU, dV, dstate
