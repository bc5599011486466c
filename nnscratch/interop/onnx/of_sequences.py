"""Recurrent layers and attention -> ONNX."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.page import Page, Value

# The operator of a cell, its gates in ONNX's order by their places in ours, and its options
OPERATORS: dict[type[nn.Layer], tuple[str, tuple[int, ...], dict[str, int]]] = {
    nn.RNNCell: ("RNN", (0,), {}),
    nn.GRUCell: ("GRU", (1, 0, 2), {"linear_before_reset": 1}),  # z r n from r z n
    nn.LSTMCell: ("LSTM", (0, 3, 1, 2), {}),  # i o f g from i f g o
    nn.RNN: ("RNN", (0,), {}),
    nn.GRU: ("GRU", (1, 0, 2), {"linear_before_reset": 1}),
    nn.LSTM: ("LSTM", (0, 3, 1, 2), {}),
}


def _weights(cell: Any, order: tuple[int, ...]) -> list[np.ndarray]:
    """W, R and B with ONNX's order of the gates, and an axis for the direction."""

    def ordered(array: np.ndarray) -> np.ndarray:
        blocks = np.split(array, len(order))
        return np.concatenate([blocks[place] for place in order])

    found = [ordered(cell.params[name]) for name in ("W_x", "W_h")]
    if cell.bias:
        found.append(np.concatenate([ordered(cell.params[name]) for name in ("b_x", "b_h")]))
    return [array[np.newaxis] for array in found]


def _run(page: Page, cell: Any, x: Any, state: Value | None, reverse: bool) -> tuple[str, str]:
    """The operator on x (time, batch, features): (y (time, 1, batch, hidden), state)."""
    kind, order, options = _operator(cell)
    weights = _weights(cell, order)
    states: list[Any] = []
    if state is not None:
        states = [state]
        if cell.state_parts > 1:
            sizes = page.ints(*[cell.hidden_features] * cell.state_parts)
            states = page.op("Split", state, sizes, axis=1, outputs=cell.state_parts)
        states = [page.op("Unsqueeze", part, page.ints(0)) for part in states]
    inputs = [x, *weights, *[None] * (3 - len(weights)), None, *states]
    names = {} if cell.gates > 1 else {"activations": [cell.activation.capitalize()]}
    y, *last = page.op(
        kind,
        *inputs[: 5 if state is None else None],
        hidden_size=cell.hidden_features,
        direction="reverse" if reverse else "forward",
        outputs=1 + cell.state_parts,
        **options,
        **names,
    )
    last = [page.op("Squeeze", part, page.ints(0)) for part in last]
    return y, last[0] if len(last) == 1 else page.op("Concat", *last, axis=1)


def _operator(cell: Any) -> tuple[str, tuple[int, ...], dict[str, int]]:
    for kind, found in OPERATORS.items():
        if type(cell) is kind:
            return found
    raise ValueError(f"ONNX has no counterpart of {' '.join(repr(cell).split())}")


def _recurrent(page: Page, layer: Any, x: Value, state: Value | None = None) -> Any:
    cell = layer.cell if isinstance(layer, nn.Unroll) else layer
    steps = page.op("Transpose", x, perm=[1, 0, 2])
    y, last = _run(page, cell, steps, state, layer.reverse)
    y = page.op("Transpose", page.op("Squeeze", y, page.ints(1)), perm=[1, 0, 2])
    return [y, last] if layer.return_state else y


def _bidirectional(
    page: Page, layer: nn.Bidirectional, x: Value, state: Value | None = None
) -> Any:
    states: list[Any] = [None, None]
    if state is not None:
        half = state.array.shape[1] // 2
        names = page.op("Split", state, page.ints(half, half), axis=1, outputs=2)
        arrays = np.split(state.array, 2, axis=1)
        states = [Value(name, array) for name, array in zip(names, arrays, strict=True)]
    found = [_recurrent(page, one, x, s) for one, s in zip(layer.layers, states, strict=True)]
    if layer.output_count is None:
        return page.op("Concat", *found, axis=-1)
    return [page.op("Concat", *parts, axis=-1) for parts in zip(*found, strict=True)]


def _cell(page: Page, cell: Any, x: Value, state: Value | None = None) -> str:
    """A sequence of one step."""
    if x.array.ndim != 2:
        raise ValueError(f"{cell} takes rows in ONNX, (batch, features)")
    _, last = _run(page, cell, page.op("Unsqueeze", x, page.ints(0)), state, False)
    return last


def _last_step(page: Page, layer: nn.LastStep, x: Value) -> str:
    return page.op("Gather", x, np.array(-1), axis=1)


def _attention(page: Page, layer: nn.Attention, q: Value, k: Value, v: Value) -> str:
    dtype = np.result_type(q.array, k.array, v.array)
    q, k, v = (page.cast(x, dtype) for x in (q, k, v))
    axes = [*range(k.array.ndim - 2), k.array.ndim - 1, k.array.ndim - 2]
    transposed = page.op("Transpose", k, perm=axes)
    sizes = q.array.shape[-2], k.array.shape[-2], q.array.shape[-1]
    return _attend(page, q, transposed, v, sizes, layer.causal, dtype)


def _attend(
    page: Page, q: Any, k: Any, v: Any, sizes: tuple[int, ...], causal: bool, dtype: np.dtype
) -> str:
    """softmax(q k / √d) v, with k transposed before; sizes are those of time, steps and d."""
    time, steps, d = sizes
    scores = page.op("Mul", page.op("MatMul", q, k), np.array(1 / np.sqrt(d), dtype))
    if causal:  # what comes later counts nothing
        later = np.triu(np.full((time, steps), np.finfo(dtype).min / 2, dtype), 1)
        scores = page.op("Add", scores, later)
    return page.op("MatMul", page.op("Softmax", scores, axis=-1), v)


def _multi_head(page: Page, layer: nn.MultiHeadAttention, *inputs: Value) -> str:
    """(batch, time, features) as (batch, heads, time, d), and back."""
    d = layer.features // layer.heads

    def linear(name: str, x: Any) -> str:
        y = page.op("MatMul", x, layer.params[f"W_{name}"].T)
        return page.op("Add", y, layer.params[f"b_{name}"]) if layer.bias else y

    parts = inputs if len(inputs) == 3 else inputs * 3
    heads = []
    for name, x, order in zip(
        "qkv", parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True
    ):
        split = page.op("Reshape", linear(name, x), page.ints(0, 0, layer.heads, d))
        heads.append(page.op("Transpose", split, perm=order))
    sizes = parts[0].array.shape[1], parts[1].array.shape[1], d
    q, k, v = heads
    y = _attend(page, q, k, v, sizes, layer.causal, parts[0].array.dtype)
    joined = page.op("Transpose", y, perm=[0, 2, 1, 3])
    return linear("o", page.op("Reshape", joined, page.ints(0, 0, layer.features)))


def _positions(page: Page, layer: nn.PositionalEncoding, x: Value) -> str:
    waves, _ = layer.forward_pass(np.zeros(x.array.shape[-2:], x.array.dtype))
    return page.op("Add", x, waves)


OF_SEQUENCES: dict[type[nn.Layer], Callable[..., Any]] = {
    nn.RNN: _recurrent,
    nn.GRU: _recurrent,
    nn.LSTM: _recurrent,
    nn.Unroll: _recurrent,
    nn.Bidirectional: _bidirectional,
    nn.RNNCell: _cell,
    nn.GRUCell: _cell,
    nn.LSTMCell: _cell,
    nn.LastStep: _last_step,
    nn.Attention: _attention,
    nn.MultiHeadAttention: _multi_head,
    nn.PositionalEncoding: _positions,
}
