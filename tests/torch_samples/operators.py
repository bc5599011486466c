"""torch's operators by its names: functions with its arguments that say the same in nnscratch."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnscratch as nn
from tests.torch_samples.said import Said, Without, only, say, torchs


def is_tensor(value: Any) -> bool:
    torch, _, _ = torchs()
    return isinstance(value, torch.Tensor)


def floats(*values: Any) -> None:
    """Only samples of one dtype: nnscratch does not promote."""
    torch, _, _ = torchs()
    fit = all(not is_tensor(v) or v.dtype == torch.float64 for v in values)
    only(fit, "another dtype than float64")


def elementwise(make: Any) -> Any:
    return lambda input: say(make(), input)


def two(make: Any, swapped: bool = False) -> Any:
    def binary(input: Any, other: Any) -> Said:
        floats(input, other)
        return say(make(), *((other, input) if swapped else (input, other)))

    return binary


def add(input: Any, other: Any, *, alpha: Any = 1) -> Said:
    only(alpha == 1, "alpha")
    return two(nn.Add)(input, other)


def sub(input: Any, other: Any, *, alpha: Any = 1) -> Said:
    only(alpha == 1, "alpha")
    return two(nn.Sub)(input, other)


def rsub(input: Any, other: Any, *, alpha: Any = 1) -> Said:
    only(alpha == 1, "alpha")
    return two(nn.Sub, swapped=True)(input, other)


def div(input: Any, other: Any, *, rounding_mode: Any = None) -> Said:
    only(rounding_mode is None, "rounding_mode")
    return two(nn.Div)(input, other)


def clamp(input: Any, min: Any = None, max: Any = None) -> Said:
    if is_tensor(min) or is_tensor(max):
        return between(input, min, max)
    only(min is None or max is None or min <= max, "bounds in the wrong order")
    return say(nn.Clip(min, max), input)


def between(input: Any, min: Any, max: Any) -> Said:
    """Bounds that have gradients of their own: a graph of two operators."""
    given = [bound for bound in (input, min, max) if bound is not None]
    floats(*given)
    nodes = [nn.Input() for _ in given]
    bounds = nodes[1:]
    output = nodes[0]
    if min is not None:
        output = nn.Maximum()(output, bounds.pop(0))
    if max is not None:
        output = nn.Minimum()(output, bounds.pop(0))
    return say(nn.Graph(nodes, output), *given)


def where(input: Any, condition: Any, other: Any) -> Said:
    floats(input, other)
    return say(nn.Where(), condition, input, other)


def over_axes(make: Any) -> Any:
    def reduction(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Said:
        only(dtype is None, "another dtype for the result")
        if isinstance(dim, list | tuple):
            dim = tuple(dim) or None
        only(input.ndim > 0 or dim is None, "an axis of a number without axes")
        return say(make(dim, keepdims=keepdim), input)

    return reduction


def along(make: Any) -> Any:
    def softmax(input: Any, dim: Any = None, *, dtype: Any = None) -> Said:
        only(dtype is None, "another dtype for the result")
        only(input.ndim > 0, "an axis of a number without axes")
        return say(make(dim), input)

    return softmax


# Shapes ------------------------------------------------------------------------------------------


def to_shape(shape_of: Any) -> Any:
    def reshaped(input: Any, *arguments: Any, **keywords: Any) -> Said:
        return say(nn.Reshape(shape_of(input, *arguments, **keywords)), input)

    return reshaped


def as_given(input: Any, *shape: Any) -> Any:
    flat = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    return tuple(flat)


def flattened(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    return tuple(input.flatten(start_dim, end_dim).shape)


def permute(input: Any, dims: Any) -> Said:
    return say(nn.Transpose(tuple(dims)), input)


def transpose(input: Any, dim0: int, dim1: int) -> Said:
    axes = list(range(input.ndim))
    if axes:
        axes[dim0], axes[dim1] = axes[dim1], axes[dim0]
    return say(nn.Transpose(axes), input)


def reversed_axes(input: Any) -> Said:
    return say(nn.Transpose(), input)


def last_two(input: Any) -> Said:
    return transpose(input, -2, -1)


def movedim(input: Any, source: Any, destination: Any) -> Said:
    named = np.empty(range(1, input.ndim + 1))  # the size of each axis tells which it was
    moved = np.moveaxis(named, source, destination).shape
    return say(nn.Transpose([n - 1 for n in moved]), input)


def cat(tensors: Any, dim: int = 0) -> Said:
    legacy = any(t.ndim == 1 and t.numel() == 0 for t in tensors)
    only(not legacy or all(t.ndim == 1 for t in tensors), "torch's old empty tensor among others")
    floats(*tensors)
    return say(nn.Concatenate(dim), *tensors)


def stack(tensors: Any, dim: int = 0) -> Said:
    floats(*tensors)
    return say(nn.Stack(dim), *tensors)


def split(input: Any, size: Any, dim: int = 0) -> Said:
    if isinstance(size, int):
        bounds = range(size, input.shape[dim], size) if size else ()
        return say(nn.Split(list(bounds), dim), input)
    return say(nn.Split([int(n) for n in np.cumsum(size)[:-1]], dim), input)


def tensor_split(input: Any, sections: Any, dim: int = 0) -> Said:
    if is_tensor(sections):
        sections = sections.tolist()
    if isinstance(sections, int):
        lengths = [len(part) for part in np.array_split(range(input.shape[dim]), sections)]
        sections = [int(n) for n in np.cumsum(lengths)[:-1]]
    only(all(0 <= n <= input.shape[dim] for n in sections), "bounds outside of the axis")
    only(list(sections) == sorted(sections), "bounds in another order")
    return say(nn.Split(list(sections), dim), input)


def tile(input: Any, *dims: Any) -> Said:
    repeats = as_given(input, *dims)
    return say(nn.Tile((1,) * (input.ndim - len(repeats)) + repeats), input)


def flip(input: Any, dims: Any) -> Said:
    return say(nn.Flip(tuple(dims) if not isinstance(dims, int) else dims), input)


def getitem(input: Any, key: Any) -> Said:
    def ours(one: Any) -> Any:
        if is_tensor(one):
            return one.numpy()
        return [ours(o) for o in one] if isinstance(one, list) else one

    key = tuple(map(ours, key)) if isinstance(key, tuple) else ours(key)
    return say(nn.Index(key), input)


def select(input: Any, dim: int, index: int) -> Said:
    return say(nn.Index((slice(None),) * (dim % input.ndim) + (index,)), input)


def narrow(input: Any, dim: int, start: Any, length: int) -> Said:
    start = int(start)
    start += input.shape[dim] if start < 0 else 0
    return say(
        nn.Index((slice(None),) * (dim % input.ndim) + (slice(start, start + length),)), input
    )


def trace(input: Any) -> Said:
    only(input.shape[0] == input.shape[1], "a matrix that is not square")
    return say(nn.Trace(), input)


def attention(
    input: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: Any = None,
    enable_gqa: bool = False,
) -> Said:
    only(attn_mask is None, "a mask")
    only(dropout_p == 0, "dropout of the weights")
    only(scale is None and not enable_gqa, "a scale of its own, grouped heads")
    only(input.shape[:-2] == key.shape[:-2], "batches that are broadcast")
    return say(nn.Attention(causal=is_causal), input, key, value)


def without_dim(make: Any) -> Any:
    def whole(input: Any, *arguments: Any, **keywords: Any) -> Said:
        if arguments or keywords:
            raise Without("positions, or the other of two")
        return say(make(), input)

    return whole


OPERATORS: dict[str, Any] = {
    **{
        name: elementwise(make)
        for name, make in {
            "sin": nn.Sin,
            "cos": nn.Cos,
            "erf": nn.Erf,
            "exp": nn.Exp,
            "log": nn.Log,
            "sqrt": nn.Sqrt,
            "square": nn.Square,
            "abs": nn.Abs,
            "sigmoid": nn.Sigmoid,
            "tanh": nn.Tanh,
            "reciprocal": lambda: nn.Power(-1),
            "rsqrt": lambda: nn.Power(-0.5),
            "linalg.det": nn.Determinant,
            "linalg.inv": nn.Inverse,
            "positive": nn.Identity,
            "clone": nn.Identity,
        }.items()
    },
    "add": add,
    "sub": sub,
    "rsub": rsub,
    "__radd__": two(nn.Add, swapped=True),
    "__rsub__": two(nn.Sub, swapped=True),
    "__rmul__": two(nn.Mul, swapped=True),
    "__rdiv__": two(nn.Div, swapped=True),
    "mul": two(nn.Mul),
    "div": div,
    "true_divide": two(nn.Div),
    "maximum": two(nn.Maximum),
    "minimum": two(nn.Minimum),
    "max": without_dim(nn.Max),
    "min": without_dim(nn.Min),
    "matmul": two(nn.MatMul),
    "__rmatmul__": two(nn.MatMul, swapped=True),
    "mm": two(nn.MatMul),
    "bmm": two(nn.MatMul),
    "mv": two(nn.MatMul),
    "dot": two(nn.MatMul),
    "clamp": clamp,
    "clamp_min": lambda input, min: clamp(input, min=min),
    "clamp_max": lambda input, max: clamp(input, max=max),
    "where": where,
    "sum": over_axes(nn.Sum),
    "mean": over_axes(nn.Mean),
    "amax": over_axes(nn.Max),
    "amin": over_axes(nn.Min),
    "logsumexp": over_axes(nn.LogSumExp),
    "softmax": along(nn.Softmax),
    "log_softmax": along(nn.LogSoftmax),
    "reshape": to_shape(as_given),
    "view": to_shape(as_given),
    "view_as": to_shape(lambda _, other: tuple(other.shape)),
    "reshape_as": to_shape(lambda _, other: tuple(other.shape)),
    "flatten": to_shape(flattened),
    "ravel": to_shape(lambda _: (-1,)),
    "squeeze": to_shape(lambda input, *dim: tuple(input.squeeze(*dim).shape)),
    "unsqueeze": to_shape(lambda input, dim: tuple(input.unsqueeze(dim).shape)),
    "unflatten": to_shape(lambda input, dim, sizes: tuple(input.unflatten(dim, sizes).shape)),
    "permute": permute,
    "transpose": transpose,
    "t": reversed_axes,
    "T": reversed_axes,
    "mT": last_two,
    "movedim": movedim,
    "cat": cat,
    "stack": stack,
    "split": split,
    "split_with_sizes": split,
    "tensor_split": tensor_split,
    "tile": tile,
    "repeat": lambda input, *dims: say(nn.Tile(as_given(input, *dims)), input),
    "flip": flip,
    "fliplr": lambda input: flip(input, 1),
    "flipud": lambda input: flip(input, 0),
    "__getitem__": getitem,
    "select": select,
    "narrow": narrow,
    "trace": trace,
    "nn.functional.scaled_dot_product_attention": attention,
}
