"""ONNX -> operators: arithmetic, reductions, shapes, parts of arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.graph.node import Node
from nnscratch.interop.onnx.call import Call, filled
from nnscratch.interop.onnx.from_layers import plain
from nnscratch.interop.onnx.from_sizes import slices
from nnscratch.interop.onnx.gelu import argument_of_gelu
from nnscratch.interop.onnx.page import library


def _of_two(layer: type[nn.Layer]) -> Callable[[Call], Any]:
    """Two inputs; for Max, Min and Sum any number."""

    def read(call: Call) -> Any:
        _refuse_integers(call)
        parts = call.terms()
        if len(parts) == 1:
            return nn.Identity()(parts[0])
        if len(parts) > 2:  # then the order does not matter, and nodes come first
            parts.sort(key=lambda part: not isinstance(part, Node))
        return reduce(lambda u, v: layer()(u, v), parts)

    return read


def _refuse_integers(call: Call) -> None:
    """Integers are counted exactly there, and are floating numbers here."""
    for x in call.inputs:
        if x is not None and x.node is not None and x.array.dtype.kind in "iu":
            raise ValueError(f"arithmetic on inputs of {x.array.dtype} is not there")


def _add(call: Call) -> Any:
    """A vector of weights along the last axis is a Bias."""
    for x, b in ((0, 1), (1, 0)):
        vector, other = call.operand(b), call.operand(x)
        fits = other.node is not None and other.shape[-1:] == vector.shape
        if vector.trained and vector.ndim == 1 and fits:
            return filled(nn.Bias(len(vector.array)), b=vector.array)(call.node(x))
    return _of_two(nn.Add)(call)


def _product(layer: type[nn.Layer]) -> Callable[[Call], Any]:
    """A product or quotient, or the GELU that was taken apart into them."""

    def read(call: Call) -> Any:
        y = _of_two(layer)(call)
        x = argument_of_gelu(y)
        return y if x is None else nn.GELU()(x)

    return read


def _mean(call: Call) -> Any:
    return _of_two(nn.Add)(call) / len(call.inputs)


def _power(call: Call) -> Any:
    _refuse_integers(call)
    exponent = call.constant(1)
    if exponent.size != 1:
        raise ValueError("an exponent of several numbers is not there")
    number = exponent.item()
    return nn.Power(int(number) if number == int(number) else number)(call.node())


def _clip(call: Call) -> Any:
    bounds = [call.constant(i, name) for i, name in ((1, "min"), (2, "max"))]
    low, high = (None if bound is None else float(bound) for bound in bounds)
    _refuse_integers(call)
    return nn.Identity()(call.node()) if low is high is None else nn.Clip(low, high)(call.node())


def _where(call: Call) -> Any:
    return nn.Where()(*call.terms())


def _cast(call: Call) -> Any:
    """Floating numbers stay what the model's are, float32 beside float16; others would be cut."""
    dtype = library().helper.tensor_dtype_to_np_dtype(call.get("to", 1))
    own = call.operand(0).array.dtype
    if own == dtype:
        return call.node()
    if own == np.float16:
        raise ValueError(
            f"a cast from inputs of float16 to {dtype} is not there; declare them as float32"
        )
    if (dtype.kind == "f" or dtype.name == "bfloat16") and (own.kind == "f" or dtype != np.float64):
        return nn.Identity()(call.node())
    raise ValueError(f"a cast from {own} to {dtype} is not there")


def _reduced(layer: Callable[..., nn.Layer], before: Any = None, after: Any = None) -> Any:
    def read(call: Call) -> Any:
        _refuse_integers(call)
        x, axes = call.node(), call.constant(1, "axes")
        if axes is None or not axes.size:
            if call.get("noop_with_empty_axes", 0):
                return nn.Identity()(x) if before is None else before(x)
            axis = None
        else:
            axis = tuple(int(a) for a in axes.ravel())
        x = x if before is None else before(x)
        y = layer(axis, keepdims=bool(call.get("keepdims", 1)))(x)
        return y if after is None else after(y)

    return read


def _flatten(call: Call) -> Any:
    x, axis = call.operand(0), call.get("axis", 1)
    if axis == 1:
        return nn.Flatten()(call.node())
    axis += x.ndim if axis < 0 else 0
    shapes = [
        np.array([np.prod(a.shape[:axis], dtype=int), np.prod(a.shape[axis:], dtype=int)])
        for a in x.arrays
    ]
    return nn.Reshape(_one_free(shapes))(call.node())


def _reshape(call: Call) -> Any:
    x, wanted = call.operand(0), call.operand(1)
    if wanted.node is not None:
        raise ValueError("a shape that is computed from numbers of the input is not there")
    shapes = []
    for array, shape in zip(x.arrays, wanted.arrays, strict=True):
        sizes = shape.tolist()
        if not call.get("allowzero", 0):
            sizes = [array.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
        shapes.append(np.array(array.reshape(sizes).shape))
    return nn.Reshape(_one_free(shapes))(call.node())


def _one_free(shapes: list[np.ndarray]) -> tuple[int, ...]:
    """A shape with -1 for the size that differs between the examples."""
    first, second = shapes
    free = np.flatnonzero(first != second)
    if len(free) > 1:
        raise ValueError(f"a shape with {len(free)} sizes that depend on the input is not there")
    return tuple(-1 if i in free else int(n) for i, n in enumerate(first))


def _transpose(call: Call) -> Any:
    axes = call.get("perm", None)
    return nn.Transpose(None if axes is None else tuple(axes))(call.node())


def _unsqueeze(call: Call) -> Any:
    axes = [int(axis) for axis in call.constant(1, "axes")]
    ndim = call.operand(0).ndim + len(axes)
    new = {axis % ndim for axis in axes}
    return nn.Index(tuple(None if i in new else slice(None) for i in range(ndim)))(call.node())


def _squeeze(call: Call) -> Any:
    x, axes = call.operand(0), call.constant(1, "axes")
    sizes = [
        i
        for i, pair in enumerate(zip(*(a.shape for a in x.arrays), strict=True))
        if set(pair) == {1}
    ]
    gone = sizes if axes is None else [int(axis) % x.ndim for axis in axes]
    if not set(gone) <= set(sizes):
        raise ValueError(f"axes {gone} are not all of size 1")
    if not gone:
        return nn.Identity()(call.node())
    return nn.Index(tuple(0 if i in gone else slice(None) for i in range(x.ndim)))(call.node())


def _concatenate(call: Call) -> Any:
    parts = [_beside(call, i) for i in range(len(call.inputs))]
    sizes = {x.shape[0] for x in call.inputs if x is not None and x.fixed and x.ndim}
    if sizes and call.get("axis", 0) % call.operand(0).ndim != 0:
        first = next(x for x in call.inputs if x is not None and x.node is not None)
        if first.arrays[0].shape[0] != first.arrays[1].shape[0]:
            raise ValueError("a constant of fixed length beside a free batch is not there")
    return nn.Concatenate(call.get("axis", 0))(*parts)


def _beside(call: Call, i: int) -> Any:
    """A part of a Concat; rows as many as the batch has, such as a token for each sample, are one
    row, added to zeros as long as another part."""
    row, found = call.row(i), call.operand(i)
    if not isinstance(row, np.ndarray) or found.fixed:
        return row
    other = next(x for x in call.inputs if x is not None and x.node is not None)
    key = tuple(
        slice(0, 1) if n == m else slice(None)
        for n, m in zip(*(a.shape for a in found.arrays), strict=True)
    )
    for whole, beside in zip(found.arrays, other.arrays, strict=True):
        if np.broadcast_shapes(row.shape, beside[key].shape) != whole.shape:
            raise ValueError(f"input {i} is as long as the batch, and the other inputs are not")
    return nn.Index(key)(other.node) * 0.0 + row


def _split(call: Call) -> Any:
    x, axis, sizes = call.operand(0), call.get("axis", 0), call.constant(1, "split")
    length, count = x.shape[axis], call.get("num_outputs", call.outputs)
    if sizes is None:
        each = -(-length // count)
        sizes = [each] * (count - 1) + [length - each * (count - 1)]
    if sum(sizes) != length:
        raise ValueError(f"the parts {list(sizes)} are not the {length} places of the axis")
    if len(sizes) == 1:
        return nn.Identity()(call.node())
    return nn.Split(np.cumsum(sizes)[:-1].tolist(), axis)(call.node())


def _slice(call: Call) -> Any:
    return nn.Index(slices(call, call.operand(0).ndim))(call.node())


def _gather(call: Call) -> Any:
    """Places of the file from an axis, or as an Embedding rows of weights by an input."""
    x, places, axis = call.operand(0), call.operand(1), call.get("axis", 0)
    if x.node is None and axis == 0 and x.fixed and x.ndim == 2 and places.node is not None:
        layer = nn.Embedding(*x.shape)
        return filled(layer, W=x.array)(call.node(1))
    axis %= x.ndim
    found = call.constant(1)
    key = [slice(None)] * axis + [int(found) if found.ndim == 0 else found]
    return nn.Index(tuple(key))(call.node())


def _gather_nd(call: Call) -> Any:
    call.only("batch_dims", 0)
    places = call.constant(1)
    return nn.Index(tuple(np.moveaxis(places, -1, 0)))(call.node())


def _tile(call: Call) -> Any:
    return nn.Tile(tuple(int(n) for n in call.constant(1)))(call.node())


def _expand(call: Call) -> Any:
    """New axes in front, and axes of size 1 repeated."""
    x, shape = call.operand(0), call.operand(1)
    ndim = max(x.ndim, len(shape.array))
    repeats = []
    for array, wanted in zip(x.arrays, shape.arrays, strict=True):
        own = (1,) * (ndim - x.ndim) + array.shape
        whole = np.broadcast_shapes(own, tuple(int(n) for n in wanted))
        repeats.append([w // n if n else 1 for w, n in zip(whole, own, strict=True)])
    if repeats[0] != repeats[1]:
        raise ValueError("an axis that is repeated as often as the batch is long is not there")
    key = (*[None] * (ndim - x.ndim), ...)
    y = nn.Index(key)(call.node()) if ndim > x.ndim else call.node()
    return nn.Tile(tuple(repeats[0]))(y)


FROM_OPERATORS: dict[str, Callable[[Call], Any]] = {
    "Add": _add,
    "Sub": _of_two(nn.Sub),
    "Mul": _product(nn.Mul),
    "Div": _product(nn.Div),
    "Max": _of_two(nn.Maximum),
    "Min": _of_two(nn.Minimum),
    "Sum": _of_two(nn.Add),
    "Mean": _mean,
    "Neg": lambda call: nn.Mul()(call.node(), -1.0),
    "Reciprocal": lambda call: nn.Power(-1)(call.node()),
    "Pow": _power,
    "Abs": plain(nn.Abs),
    "Sin": plain(nn.Sin),
    "Cos": plain(nn.Cos),
    "Tan": lambda call: nn.Sin()(call.node()) / nn.Cos()(call.node()),
    "Erf": plain(nn.Erf),
    "Exp": plain(nn.Exp),
    "Log": plain(nn.Log),
    "Sqrt": plain(nn.Sqrt),
    "Det": plain(nn.Determinant),
    "Clip": _clip,
    "Where": _where,
    "Cast": _cast,
    "ReduceSum": _reduced(nn.Sum),
    "ReduceMean": _reduced(nn.Mean),
    "ReduceMax": _reduced(nn.Max),
    "ReduceMin": _reduced(nn.Min),
    "ReduceLogSumExp": _reduced(nn.LogSumExp),
    "ReduceLogSum": _reduced(nn.Sum, None, nn.Log()),
    "ReduceSumSquare": _reduced(nn.Sum, nn.Square()),
    "ReduceL1": _reduced(nn.Sum, nn.Abs()),
    "ReduceL2": _reduced(nn.Sum, nn.Square(), nn.Sqrt()),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Concat": _concatenate,
    "Split": _split,
    "Slice": _slice,
    "Gather": _gather,
    "GatherND": _gather_nd,
    "Tile": _tile,
    "Expand": _expand,
}
