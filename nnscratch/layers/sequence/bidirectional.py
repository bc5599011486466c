"""Both directions of time, and the last step of it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.sequence.packing import checked_lengths
from nnscratch.layers.written import Page, written

__all__ = ["Bidirectional", "LastStep"]


class Bidirectional(Layer):
    """A recurrent layer beside one of its kind that reads from the end: y(t) knows all of x.

    Parameters
    ----------
    layer : RNN, GRU, LSTM or Unroll
        The one that reads forwards. The other is made like it, with weights of its own, the next
        ones from the generator that drew the layer's. `params` has theirs under `forward.` and
        `reverse.`.

    Notes
    -----
    *Forward*: y(t) = [h→(t), h←(t)], where h← is that of the reverse layer. With `lengths` each
    sequence is reversed within its own.

    *Backward*: each half of dy goes to its layer. x has two children, so their dx add up
    ([Recitation], rule 4(b)).

    *Shapes*: x (batch, time, in_features); y (batch, time, 2 · hidden_features). With
    `return_state=True` of the layer y is (y, state), state (batch, 2 · state features), that of
    the forward layer before that of the reverse layer; a first state is given in the same way.

    *Cache*: those of the two.

    Raises
    ------
    ValueError
        The layer is no such layer, or reverse itself; x, state and lengths as for `RNN`.

    References
    ----------
    Schuster and Paliwal, Bidirectional recurrent neural networks (1997).

    Examples
    --------
    >>> import nnscratch as nn
    >>> layer = Bidirectional(nn.GRU(3, 2, rng=0))
    >>> layer.forward(np.ones((4, 5, 3))).shape
    (4, 5, 4)
    >>> list(layer.params)[:5]
    ['forward.W_x', 'forward.W_h', 'forward.b_x', 'forward.b_h', 'reverse.W_x']
    """

    takes_lengths = True

    @checks_kinds
    def __init__(self, layer: Layer) -> None:
        if not isinstance(layer, Layer) or not hasattr(layer, "reverse"):
            raise ValueError(
                f"Bidirectional expected a recurrent layer, received {layer!r}; "
                "pass an RNN, GRU, LSTM or Unroll"
            )
        if layer.reverse:
            raise ValueError(
                f"Bidirectional expected the layer that reads forwards, received {layer}; "
                "leave out reverse=True, the other direction is made from it"
            )
        other: Any = copy.deepcopy(layer)
        other.reverse = True
        weights: Any = other.layers[0] if other.layers else other
        own: Any = layer.layers[0] if layer.layers else layer
        if hasattr(own, "drawn_from"):
            weights.redraw(own.drawn_from)
            weights.drawn_from = own.drawn_from
            other.astype(layer.dtype)
        self.layers: tuple[Any, Any] = (layer, other)
        self.output_count = layer.output_count

    def children(self) -> Iterator[tuple[str, Layer]]:
        yield "forward", self.layers[0]
        yield "reverse", self.layers[1]

    def forward_pass(self, x: Any, state: Any = None, *, lengths: Any = None) -> tuple[Any, Any]:
        states: Any = ((), ())
        if state is not None:
            state = np.asarray(state)
            if state.ndim != 2 or state.shape[1] % 2:
                self.refuse("a state for each direction, side by side", state, "leave it out")
            states = [(half,) for half in np.split(state, 2, axis=1)]
        (y, cache), (y_reverse, cache_reverse) = (
            layer.forward_pass(x, *first, lengths=lengths)
            for layer, first in zip(self.layers, states, strict=True)
        )
        kept = cache, cache_reverse, state is not None
        if self.output_count is None:
            return np.concatenate([y, y_reverse], axis=-1), kept
        return tuple(np.concatenate(pair, -1) for pair in zip(y, y_reverse, strict=True)), kept

    def backprop(
        self, dy: Any, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        halves = [_halves(part) for part in (dy if self.output_count else (dy,))]
        grads: Grads = {}
        found = []
        for i, (name, layer) in enumerate(self.children()):
            given = tuple(half[i] for half in halves)
            dx, own = layer.backprop(
                given if self.output_count else given[0], cache[i], NOWHERE, need_dx
            )
            grads |= {f"{name}.{key}": grad for key, grad in own.items()}
            found.append(dx)
        if not need_dx:
            return None, grads
        if not cache[2]:
            return found[0] + found[1], grads
        (dx, dstate), (dx_reverse, dstate_reverse) = found
        return (dx + dx_reverse, np.concatenate([dstate, dstate_reverse], axis=1)), grads

    def remember(self, cache: Any, form: Any) -> None:
        super().remember(cache, form)
        if cache is not None:
            for layer, kept in zip(self.layers, cache, strict=False):
                layer.remember(kept, _half_form(form))

    def written_on(self, page: Page) -> str:
        return written(self, page, layer=self.layers[0])


class LastStep(Layer):
    """The last step of each sequence: y = x(T - 1), or with lengths x(length - 1).

    Notes
    -----
    *Forward*: of a batch (batch, time, ...) the entries x[n, length_n - 1].

    *Backward*: the other steps have no child, so dx is dy there and 0 elsewhere.

    *Shapes*: x (batch, time, ...), y (batch, ...). `forward(x, lengths=...)` as for `RNN`.

    *Cache*: the shape of x and the index of the step, or of each sequence's.

    Raises
    ------
    ValueError
        x has no step, or lengths do not fit.

    References
    ----------
    [Recitation] rule 4(b), with a selection as the Jacobian.

    Examples
    --------
    The last step of a `Bidirectional` has read all of the sequence forwards, and backwards only
    that one step; its state (`return_state=True`) has read all of it both ways.

    >>> layer = LastStep()
    >>> x = np.arange(12.0).reshape(2, 3, 2)
    >>> layer.forward(x, lengths=[3, 1])
    array([[4., 5.],
           [6., 7.]])
    >>> layer.backward([[1.0, 2.0], [3.0, 4.0]])[0][1]
    array([[3., 4.],
           [0., 0.],
           [0., 0.]])
    """

    takes_lengths = True

    def forward_pass(self, x: Any, *, lengths: Any = None) -> tuple[np.ndarray, Any]:
        x = floating(x)
        if x.ndim < 2 or x.shape[1] == 0:
            self.refuse("(batch, time, ...) with at least one step", x, "pass longer sequences")
        lengths = checked_lengths(self, lengths, *x.shape[:2])
        where: Any = (slice(None), -1)
        if lengths is not None:
            where = np.arange(len(x)), lengths - 1
        return x[where], (where, x.shape)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        where, (batch, time, *rest) = cache
        dx = np.zeros((time, batch, *rest), dy.dtype).swapaxes(0, 1)  # time first, as rows want it
        dx[where] = dy
        return dx


def _halves(dy: Any) -> Any:
    return (None, None) if dy is None else np.split(dy, 2, axis=-1)


def _half_form(form: Any) -> Any:
    """The form of what each direction returned, from that of both side by side."""
    if isinstance(form, list):
        return [_half_form(part) for part in form]
    (*axes, features), dtype = form
    return (*axes, features // 2), dtype
