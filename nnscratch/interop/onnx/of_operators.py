"""Operators -> ONNX: arithmetic, reductions, shapes, parts of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.of_layers import same
from nnscratch.interop.onnx.page import Page, Value

END = np.iinfo(np.int64).max  # beyond every axis


def _of_two(kind: str) -> Callable[[Page, Any, Value, Value], str]:
    """An operator of two inputs, which ONNX wants to be of one dtype."""

    def write(page: Page, layer: Any, u: Value, v: Value) -> str:
        dtype = np.result_type(u.array, v.array)
        name: str = page.op(kind, page.cast(u, dtype), page.cast(v, dtype))
        return name

    return write


def _power(page: Page, layer: nn.Power, x: Value) -> str:
    return page.op("Pow", x, np.array(layer.exponent, x.array.dtype))


def _square(page: Page, layer: nn.Square, x: Value) -> str:
    return page.op("Mul", x, x)


def _reduced(kind: str) -> Callable[[Page, Any, Value], str]:
    def write(page: Page, layer: Any, x: Value) -> str:
        axes = range(x.array.ndim) if layer.axis is None else np.atleast_1d(layer.axis)
        axes = page.ints(*(int(axis) for axis in axes))
        if not axes.size:  # over none at all
            return page.op("Identity", x)
        return page.op(kind, x, axes, keepdims=int(layer.keepdims))

    return write


def _trace(page: Page, layer: nn.Trace, x: Value) -> str:
    diagonal = page.op("Mul", x, np.eye(x.array.shape[-1], dtype=x.array.dtype))
    return page.op("ReduceSum", diagonal, page.ints(-2, -1), keepdims=0)


def _reshape(page: Page, layer: nn.Reshape, x: Value) -> str:
    return page.op("Reshape", x, page.ints(*np.atleast_1d(layer.shape)), allowzero=1)


def _transpose(page: Page, layer: nn.Transpose, x: Value) -> str:
    ndim = x.array.ndim
    axes = range(ndim)[::-1] if layer.axes is None else layer.axes
    return page.op("Transpose", x, perm=[int(axis) % max(ndim, 1) for axis in axes])


def _concatenate(page: Page, layer: nn.Concatenate, *parts: Value) -> str:
    dtype = np.result_type(*(part.array for part in parts))
    return page.op("Concat", *(page.cast(part, dtype) for part in parts), axis=layer.axis)


def _stack(page: Page, layer: nn.Stack, *parts: Value) -> str:
    dtype = np.result_type(*(part.array for part in parts))
    axis = layer.axis % (parts[0].array.ndim + 1)
    longer = [page.op("Unsqueeze", page.cast(part, dtype), page.ints(axis)) for part in parts]
    return page.op("Concat", *longer, axis=axis)


def _split(page: Page, layer: nn.Split, x: Value) -> Any:
    sizes = [part.shape[layer.axis] for part in np.split(x.array, layer.sections, layer.axis)]
    options = {"axis": layer.axis, "outputs": len(sizes)}
    found = page.op("Split", x, page.ints(*sizes), **options)
    return found if len(sizes) > 1 else [found]


def _tile(page: Page, layer: nn.Tile, x: Value) -> str:
    repeats = [int(n) for n in np.atleast_1d(layer.repeats)]
    missing = len(repeats) - x.array.ndim
    if missing > 0:
        x = Value(page.op("Unsqueeze", x, page.ints(*range(missing))), x.array)
    return page.op("Tile", x, page.ints(*[1] * -missing, *repeats))


def _flip(page: Page, layer: nn.Flip, x: Value) -> str:
    every = range(x.array.ndim) if layer.axis is None else np.atleast_1d(layer.axis)
    axes = [int(axis) for axis in every]
    if not axes:
        return page.op("Identity", x)
    many = [page.ints(*[n] * len(axes)) for n in (-1, -END, -1)]
    return page.op("Slice", x, many[0], many[1], page.ints(*axes), many[2])


def _where(page: Page, layer: nn.Where, condition: Value, u: Value, v: Value) -> str:
    dtype = np.result_type(u.array, v.array)
    return page.op("Where", page.cast(condition, bool), page.cast(u, dtype), page.cast(v, dtype))


def _clip(page: Page, layer: nn.Clip, x: Value) -> str:
    bounds = [None if b is None else np.array(b, x.array.dtype) for b in (layer.low, layer.high)]
    return page.op("Clip", x, *bounds)


def _index(page: Page, layer: nn.Index, x: Value) -> str:
    """Slices and numbers, or lists of places for the first axes, or one list for some axis."""
    key = _per_axis(layer.key, x.array.ndim)
    lists = [part for part in key if isinstance(part, np.ndarray)]
    if not any(isinstance(part, (bool, np.ndarray)) for part in key):
        return _sliced(page, key, x)
    rest = [part for part in key if not isinstance(part, np.ndarray)]
    if rest != [slice(None)] * len(rest) or any(part.dtype.kind == "b" for part in lists):
        raise ValueError(
            f"ONNX has no operator for {layer}; choose with slices, or with lists of places for "
            "the first axes alone"
        )
    if len(lists) == 1:
        axis = next(i for i, part in enumerate(key) if isinstance(part, np.ndarray))
        return page.op("Gather", x, lists[0].astype(np.int64), axis=axis)
    if any(part is not place for part, place in zip(key, lists, strict=False)):
        raise ValueError(f"ONNX has no operator for {layer}; put the lists of places first")
    return page.op("GatherND", x, np.stack(np.broadcast_arrays(*lists), -1).astype(np.int64))


def _per_axis(key: Any, ndim: int) -> list[Any]:
    """The parts of a key, one for each axis of the array, and None for each new one."""
    parts = list(key) if isinstance(key, tuple) else [key]
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    at = next(i for i, part in enumerate(parts) if part is Ellipsis)
    used = sum(part is not None and part is not Ellipsis for part in parts)
    parts[at : at + 1] = [slice(None)] * (ndim - used)
    return parts


def _sliced(page: Page, key: list[Any], x: Value) -> str:
    """A slice along the axes that need one; then axes that go, and axes that come."""
    rows, gone, new = [], [], []
    axis = place = 0  # of x, of y
    for part in key:
        if part is None:
            new.append(place)
        elif isinstance(part, slice):
            rows += [] if part == slice(None) else [(axis, *_bounds(part))]
        else:
            rows.append((axis, part, part + 1 if part != -1 else END, 1))
            gone.append(axis)
        axis += part is not None
        place += part is None or isinstance(part, slice)
    y = page.op("Identity", x)
    if rows:
        axes, starts, stops, steps = (page.ints(*column) for column in zip(*rows, strict=True))
        y = page.op("Slice", y, starts, stops, axes, steps)
    y = page.op("Squeeze", y, page.ints(*gone)) if gone else y
    return page.op("Unsqueeze", y, page.ints(*new)) if new else y


def _bounds(part: slice) -> tuple[int, int, int]:
    """(start, stop, step) without None; an axis may be longer than in the example."""
    step = 1 if part.step is None else part.step
    start, stop = part.start, part.stop
    if start is None:
        start = 0 if step > 0 else END
    if stop is None:
        stop = END if step > 0 else -END
    return start, stop, step


OF_OPERATORS: dict[type[nn.Layer], Callable[..., Any]] = {
    nn.Add: _of_two("Add"),
    nn.Sub: _of_two("Sub"),
    nn.Mul: _of_two("Mul"),
    nn.Div: _of_two("Div"),
    nn.MatMul: _of_two("MatMul"),
    nn.Maximum: _of_two("Max"),
    nn.Minimum: _of_two("Min"),
    nn.Where: _where,
    nn.Abs: same("Abs"),
    nn.Clip: _clip,
    nn.Sin: same("Sin"),
    nn.Cos: same("Cos"),
    nn.Erf: same("Erf"),
    nn.Exp: same("Exp"),
    nn.Log: same("Log"),
    nn.Sqrt: same("Sqrt"),
    nn.Square: _square,
    nn.Power: _power,
    nn.Sum: _reduced("ReduceSum"),
    nn.Mean: _reduced("ReduceMean"),
    nn.Max: _reduced("ReduceMax"),
    nn.Min: _reduced("ReduceMin"),
    nn.LogSumExp: _reduced("ReduceLogSumExp"),
    nn.Trace: _trace,
    nn.Determinant: same("Det"),
    nn.Reshape: _reshape,
    nn.Transpose: _transpose,
    nn.Concatenate: _concatenate,
    nn.Stack: _stack,
    nn.Split: _split,
    nn.Tile: _tile,
    nn.Flip: _flip,
    nn.Index: _index,
}
