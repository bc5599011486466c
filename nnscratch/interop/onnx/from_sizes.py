"""Operators on constants and on sizes, which files compute to say the shape of a Reshape."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from nnscratch.interop.onnx.call import MOST, Call, Operand
from nnscratch.interop.onnx.page import library


def _checked(shape: Any) -> tuple[int, ...]:
    sizes = tuple(int(n) for n in shape)
    if min(sizes, default=0) < 0 or prod(sizes) > MOST:
        raise ValueError(f"a constant of the shape {sizes} is too large")
    return sizes


def _array(call: Call, i: int = 0) -> np.ndarray:
    return call.operand(i).array


def _constant(call: Call) -> np.ndarray:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in call.attributes:
            dtype = np.float32 if "float" in name else np.int64 if "int" in name else None
            return np.asarray(call.attributes[name], dtype)
    raise ValueError(f"a constant of {', '.join(call.attributes) or 'nothing'} is not read")


def _shape(call: Call) -> Operand:
    start, end = call.get("start", 0), call.get("end", None)
    first, second = (np.array(a.shape[start:end], np.int64) for a in call.operand(0).arrays)
    return Operand(None, (first, second))


def _cast(call: Call) -> np.ndarray:
    dtype = library().helper.tensor_dtype_to_np_dtype(call.get("to", 1))
    few = dtype == np.float16 or dtype.name == "bfloat16"  # which stay float32 in files that cast
    return _array(call).astype(np.float32 if few else dtype)


def _unsqueeze(call: Call) -> np.ndarray:
    axes = call.constant(1, "axes")
    return np.expand_dims(_array(call), tuple(int(axis) for axis in np.atleast_1d(axes)))


def _squeeze(call: Call) -> np.ndarray:
    axes = call.constant(1, "axes")
    return np.squeeze(_array(call), None if axes is None else tuple(np.atleast_1d(axes).tolist()))


def _slice(call: Call) -> np.ndarray:
    return _array(call)[slices(call, call.operand(0).ndim)]


def slices(call: Call, ndim: int) -> tuple[slice, ...]:
    """The key of a Slice, one slice for each axis."""
    starts, ends = call.constant(1, "starts"), call.constant(2, "ends")
    axes, steps = call.constant(3, "axes"), call.constant(4, "steps")
    axes = range(len(starts)) if axes is None else axes.tolist()
    steps = [1] * len(starts) if steps is None else steps.tolist()
    key = [slice(None)] * ndim
    for axis, start, end, step in zip(axes, starts.tolist(), ends.tolist(), steps, strict=True):
        key[axis] = slice(start, None if step < 0 and end < -(2**31) else end, step)
    return tuple(key)


def _concat(call: Call) -> np.ndarray:
    parts = [x.array for x in call.inputs if x is not None]
    _checked([sum(part.size for part in parts)])
    return np.concatenate(parts, call.get("axis", 0))


def _gather(call: Call) -> np.ndarray:
    x, places = _array(call), _array(call, 1)
    _checked([x.size * places.size])
    return np.take(x, places, call.get("axis", 0))


def _where(call: Call) -> np.ndarray:
    parts = [_array(call, i) for i in range(3)]
    _checked(np.broadcast_shapes(*(part.shape for part in parts)))
    return np.where(*parts)


def _range(call: Call) -> np.ndarray:
    start, limit, delta = (_array(call, i).item() for i in range(3))
    _checked([max(0, int((limit - start) / delta))])
    numbers: np.ndarray = np.arange(start, limit, delta, dtype=_array(call).dtype)
    return numbers


def _of_shape(call: Call) -> np.ndarray:
    value = np.asarray(call.get("value", np.zeros(1, np.float32)))
    return np.full(_checked(_array(call)), value.ravel()[0])


def _expand(call: Call) -> np.ndarray:
    shape = _checked(np.broadcast_shapes(_array(call).shape, tuple(_array(call, 1))))
    return np.broadcast_to(_array(call), shape)


def _of_two(function: Any) -> Callable[[Call], np.ndarray]:
    def compute(call: Call) -> np.ndarray:
        u, v = _array(call), _array(call, 1)
        _checked(np.broadcast_shapes(u.shape, v.shape))
        with np.errstate(all="ignore"):
            return np.asarray(function(u, v))

    return compute


def _trilu(call: Call) -> np.ndarray:
    k = int(_array(call, 1)) if call.has(1) else 0
    return (np.triu if call.get("upper", 1) else np.tril)(_array(call), k)


def _dequantized(call: Call) -> np.ndarray:
    """(W - zero) · scale, with one scale, or one for each place of an axis."""
    W, scale = _array(call), _array(call, 1)
    zero = _array(call, 2) if call.has(2) else np.zeros((), W.dtype)
    call.only("block_size", 0)
    if scale.ndim:
        across = np.ones(W.ndim, int)
        across[call.get("axis", 1)] = -1
        scale, zero = (a.reshape(across) if a.ndim else a for a in (scale, zero))
    return ((W.astype(np.int32) - zero.astype(np.int32)) * scale).astype(scale.dtype)


def _tile(call: Call) -> np.ndarray:
    _checked([_array(call).size, *_array(call, 1)])
    return np.tile(_array(call), _array(call, 1))


def _div(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    if u.dtype.kind != "f":
        return np.trunc(u / v).astype(u.dtype)
    return np.asarray(u / v)


FROM_SIZES: dict[str, Callable[[Call], Any]] = {
    "Constant": _constant,
    "Shape": _shape,
    "Identity": _array,
    "Cast": _cast,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Slice": _slice,
    "Concat": _concat,
    "Gather": _gather,
    "Reshape": lambda call: _array(call).reshape(tuple(_array(call, 1))),
    "Transpose": lambda call: np.transpose(_array(call), call.get("perm", None)),
    "Range": _range,
    "ConstantOfShape": _of_shape,
    "Expand": _expand,
    "Add": _of_two(np.add),
    "Sub": _of_two(np.subtract),
    "Mul": _of_two(np.multiply),
    "Div": _of_two(_div),
    "Mod": _of_two(np.mod),
    "Pow": _of_two(lambda u, v: np.power(u, v).astype(u.dtype)),
    "Min": _of_two(np.minimum),
    "Max": _of_two(np.maximum),
    "Equal": _of_two(np.equal),
    "Less": _of_two(np.less),
    "LessOrEqual": _of_two(np.less_equal),
    "Greater": _of_two(np.greater),
    "GreaterOrEqual": _of_two(np.greater_equal),
    "And": _of_two(np.logical_and),
    "Or": _of_two(np.logical_or),
    "Not": lambda call: np.logical_not(_array(call)),
    "Floor": lambda call: np.floor(_array(call)),
    "Ceil": lambda call: np.ceil(_array(call)),
    "Size": lambda call: np.array(_array(call).size, np.int64),
    "Tile": _tile,
    "Trilu": _trilu,
    "DequantizeLinear": _dequantized,
    "Where": _where,
    "ReduceProd": lambda call: np.prod(_array(call), keepdims=bool(call.get("keepdims", 1))),
    "Neg": lambda call: -_array(call),
    "Sqrt": lambda call: np.sqrt(_array(call)),
}
