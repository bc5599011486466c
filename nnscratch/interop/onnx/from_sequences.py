"""ONNX -> recurrent layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.call import Call, filled
from nnscratch.interop.onnx.of_sequences import OPERATORS


def _recurrent(kind: Any) -> Callable[[Call], Any]:
    """X (time, batch, features), W, R, B and the first states, each for one or two directions."""

    def read(call: Call) -> Any:
        two = _checked(call, kind)
        W, R, B = (call.constant(i) for i in (1, 2, 3))
        hidden = R.shape[-1]
        options = {"activation": _activation(call)} if kind is nn.RNN else {}
        forward = call.get("direction", "forward") != "reverse"
        layer = kind(
            W.shape[-1],
            hidden,
            return_state=True,
            reverse=not forward,
            bias=B is not None,
            **options,
        )
        model = nn.Bidirectional(layer) if two else layer
        _, order, _ = OPERATORS[kind]
        for i, one in enumerate(model.layers if two else [layer]):
            filled(one, **_weights(W[i], R[i], None if B is None else B[i], order))
        x = nn.Transpose((1, 0, 2))(call.node())
        state = _first_state(call, 2 if two else 1)
        y, last = model(x) if state is None else model(x, state)
        parts = layer.state_parts
        return (_steps(y, two), *_states(last, parts, two))[: call.outputs]

    return read


def _checked(call: Call, kind: Any) -> bool:
    """Whether there are two directions; refuses what our layers do not do."""
    call.only("layout", 0)
    call.only("clip", 0, 0.0)
    call.only("input_forget", 0)
    call.only("direction", "forward", "reverse", "bidirectional")
    two = bool(call.get("direction", "forward") == "bidirectional")
    if kind is nn.GRU and call.get("linear_before_reset", 0) != 1:
        raise ValueError("the attribute linear_before_reset=0 is not there, 1 is, torch's formula")
    if kind is not nn.RNN:
        usual = ["sigmoid", "tanh", "tanh"][: 2 if kind is nn.GRU else 3] * (1 + two)
        if [name.lower() for name in _texts(call, usual)] != usual:
            raise ValueError(f"activations={_texts(call, usual)} are not there, {usual} are")
    if call.has(4) and not np.all(call.constant(4) == call.operand(0).shape[0]):
        raise ValueError("sequences of several lengths are not there")
    if call.has(7):
        raise ValueError("peepholes, the input P, are not there")
    return two


def _texts(call: Call, default: list[str]) -> list[str]:
    names = call.get("activations", default)
    return [name.decode() if isinstance(name, bytes) else name for name in names]


def _activation(call: Call) -> str:
    names = {name.lower() for name in _texts(call, ["tanh"])}
    if names not in ({"tanh"}, {"relu"}):
        raise ValueError(f"activations={sorted(names)} are not there, tanh or relu is")
    return names.pop()


def _weights(W: Any, R: Any, B: Any, order: tuple[int, ...]) -> dict[str, np.ndarray]:
    """With our order of the gates."""
    places = np.argsort(order)

    def ordered(array: np.ndarray) -> np.ndarray:
        blocks = np.split(array, len(order))
        return np.concatenate([blocks[place] for place in places])

    found = {"W_x": ordered(W), "W_h": ordered(R)}
    if B is not None:
        b_x, b_h = np.split(B, 2)
        found |= {"b_x": ordered(b_x), "b_h": ordered(b_h)}
    return found


def _first_state(call: Call, directions: int) -> Any:
    """(batch, ...) from h (directions, batch, hidden) and, of an LSTM, c; None for zeros."""
    given = [i for i in (5, 6) if call.has(i)]
    if all(call.operand(i).node is None and not call.operand(i).array.any() for i in given):
        return None
    if call.op == "LSTM" and len(given) < 2:
        raise ValueError("a first h without a first c is not there")
    parts = [_of_direction(call, i, d) for d in range(directions) for i in given]
    return parts[0] if len(parts) == 1 else nn.Concatenate(-1)(*parts)


def _of_direction(call: Call, i: int, d: int) -> Any:
    """(batch, hidden) of a state; a constant is added to zeros, as many as the batch has."""
    state = call.row(i)
    if not isinstance(state, np.ndarray):
        return nn.Index(d)(state)
    return nn.Index((0, slice(None), slice(0, 1)))(call.node()) * 0.0 + state[d]


def _steps(y: Any, two: bool) -> Any:
    """(time, directions, batch, hidden) from (batch, time, ...)."""
    parts = nn.Split(2, -1)(y) if two else (y,)
    return nn.Stack(1)(*(nn.Transpose((1, 0, 2))(part) for part in parts))


def _states(last: Any, parts: int, two: bool) -> list[Any]:
    """h, and of an LSTM c, as (directions, batch, hidden)."""
    directions = 2 if two else 1
    pieces = nn.Split(parts * directions, -1)(last) if parts * directions > 1 else (last,)
    return [nn.Stack(0)(*pieces[i::parts]) for i in range(parts)]


FROM_SEQUENCES: dict[str, Callable[[Call], Any]] = {
    "RNN": _recurrent(nn.RNN),
    "GRU": _recurrent(nn.GRU),
    "LSTM": _recurrent(nn.LSTM),
}
