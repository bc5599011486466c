"""A cell repeated along a sequence by the literal loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.containers import add_up
from nnscratch.layers.sequence.packing import checked_lengths
from nnscratch.layers.written import Page, written

__all__ = ["Unroll"]


class Unroll(Layer):
    """The loop over time, as a layer: s(t) = cell(x(t), s(t-1)), y(t) = h(t).

    What RNN, GRU and LSTM compute, one step at a time, for any cell.

    Parameters
    ----------
    cell : Layer
        An `RNNCell`, `GRUCell`, `LSTMCell`, or one of your own: its forward takes x(t) and a
        state and returns the next state, of which the first `hidden_features` numbers are h, all
        `state_features`. `params` has the cell's own names.
    return_state, reverse : bool
        As for `RNN`.

    Notes
    -----
    *Forward*: a state that is 0 or given, then the cell at t = 0, 1, ..., each time with the same
    weights. A sequence that has ended keeps its state.

    *Backward*: the steps in the other order. s(t) has two children, y(t) and step t+1, so
    ds(t) = (dy(t), 0) + what step t+1 passed back.

    *Gradient*: a parameter stands in every step, so its gradients add up: dW = Σ_t dW(t), as for
    the windows of `Scan` ([Recitation], when to use = and when to use +=). To assign instead of
    to add is the usual mistake: it keeps the gradient of the first step alone.

    *Shapes*: as for `RNN`.

    *Cache*: the cell's, of every step, and which sequences had not ended.

    Raises
    ------
    ValueError
        The cell is no such layer; x, state or lengths as for `RNN`.

    References
    ----------
    Werbos, Backpropagation through time (1990); [Recitation] Example 2.

    Examples
    --------
    >>> import nnscratch as nn
    >>> unrolled, lstm = Unroll(nn.LSTMCell(3, 2, rng=0)), nn.LSTM(3, 2, rng=1)
    >>> lstm.params.update(unrolled.params)
    >>> x = np.linspace(-1, 1, 60).reshape(4, 5, 3)
    >>> bool(np.allclose(unrolled.forward(x), lstm.forward(x), atol=1e-6))
    True
    """

    wraps = takes_lengths = True

    @checks_kinds
    def __init__(self, cell: Layer, return_state: bool = False, reverse: bool = False) -> None:
        if not isinstance(cell, Layer) or not hasattr(cell, "state_features"):
            raise ValueError(
                f"Unroll expected a cell, a layer with hidden_features and state_features, "
                f"received {cell!r}; pass one such as LSTMCell(3, 2)"
            )
        self.layers: tuple[Any] = (cell,)
        self.return_state, self.reverse = bool(return_state), bool(reverse)
        self.output_count = 2 if return_state else None

    @property
    def cell(self) -> Any:
        return self.layers[0]

    def forward_pass(self, x: Any, state: Any = None, *, lengths: Any = None) -> tuple[Any, Any]:
        cell, given = self.cell, state is not None
        x = floating(x, self.dtype)
        if x.ndim != 3:
            remedy = "one sequence is a batch of one, x[np.newaxis]"
            self.refuse("(batch, time, features)", x, remedy)
        batch, time, _ = x.shape
        lengths = checked_lengths(self, lengths, batch, time)
        if lengths is not None:  # what stands behind an end is not looked at
            x = np.where((np.arange(time) < lengths[:, np.newaxis])[..., np.newaxis], x, 0)
        if state is None:
            state = np.zeros((batch, cell.state_features), x.dtype)
        y = np.zeros((batch, time, cell.hidden_features), x.dtype)
        steps = []
        for t in self._order(time):
            after, cache = cell.forward_pass(x[:, t], state)
            runs = None if lengths is None else (t < lengths)[:, np.newaxis]
            state = after if runs is None else np.where(runs, after, state)
            h = after[:, : cell.hidden_features]
            y[:, t] = h if runs is None else np.where(runs, h, 0)
            steps.append((cache, runs))
        cache = steps, x.shape, given
        return ((y, floating(state, x.dtype)) if self.return_state else y), cache

    def backprop(
        self, dy: Any, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        steps, shape, given = cache
        cell, (batch, time, _) = self.cell, shape
        dy, dstate = dy if self.return_state else (dy, None)
        dtype = self.dtype or np.result_type(*[d for d in (dy, dstate) if d is not None])
        if dstate is None:
            dstate = np.zeros((batch, cell.state_features), dtype)
        dx = np.zeros(shape, dtype)
        grads: dict[str, Any] = dict.fromkeys(cell.trained)
        names = {name: name for name in grads}
        for t, (kept, runs) in zip(reversed(self._order(time)), reversed(steps), strict=True):
            passes = 0 if runs is None else np.where(runs, 0, dstate)  # by those that have ended
            dstate = np.where(True if runs is None else runs, dstate, 0)
            if dy is not None:
                dh = dy[:, t] if runs is None else np.where(runs, dy[:, t], 0)
                dstate[:, : cell.hidden_features] += dh
            (dx_t, dbefore), found = cell.backprop(dstate, kept)
            dx[:, t] = dx_t
            dstate = dbefore + passes
            add_up(grads, names, found, NOWHERE)
        for name, grad in grads.items():
            grads[name] = np.zeros_like(cell.params[name]) if grad is None else grad
        if not need_dx:
            return None, grads
        return ((dx, dstate) if given else dx), grads

    def _order(self, time: int) -> range:
        return range(time - 1, -1, -1) if self.reverse else range(time)

    def remember(self, cache: Any, form: Any) -> None:
        super().remember(cache, form)
        if cache is not None and cache[0]:
            batch, dtype = cache[1][0], self.dtype or np.dtype(np.float32)
            self.cell.remember(cache[0][-1][0], ((batch, self.cell.state_features), dtype))

    def written_on(self, page: Page) -> str:
        return written(self, page)
