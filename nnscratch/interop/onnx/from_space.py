"""ONNX -> layers on signals and images."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.call import MOST, Call, filled

Pads = tuple[tuple[int, int], ...]


def _space(call: Call) -> int:
    """The number of axes of space, 1 or 2."""
    space = call.operand(0).ndim - 2
    if space not in (1, 2):
        raise ValueError(f"windows over {space} axes are not there, over 1 or 2 are")
    return space


def _windows(call: Call, size: Any) -> dict[str, Any]:
    """Stride, padding and dilation as our layers take them."""
    space = _space(call)
    strides = tuple(call.get("strides", [1] * space))
    dilations = tuple(call.get("dilations", [1] * space))
    found = {"stride": strides, "dilation": dilations}
    return {**found, "padding": _pads(call, size, strides, dilations)}


def _pads(call: Call, sizes: Any, strides: Any, dilations: Any) -> Any:
    """(before, after) for each axis; an automatic padding by the sizes of the example."""
    space, how = _space(call), call.get("auto_pad", "NOTSET")
    pads = call.get("pads", [0] * 2 * space)
    if how in ("NOTSET", ""):
        return tuple(zip(pads[:space], pads[space:], strict=True))
    if how == "VALID":
        return ((0, 0),) * space
    shapes = [array.shape[2:] for array in call.operand(0).arrays]
    if how not in ("SAME_UPPER", "SAME_LOWER") or shapes[0] != shapes[1]:
        raise ValueError(f"auto_pad={how!r} is not there for axes of any size")
    found = []
    for n, size, stride, dilation in zip(shapes[0], sizes, strides, dilations, strict=True):
        zeros = max((-(-n // stride) - 1) * stride + dilation * (size - 1) + 1 - n, 0)
        small, large = zeros // 2, zeros - zeros // 2
        found.append((small, large) if how == "SAME_UPPER" else (large, small))
    return tuple(found)


def _for_axes(pads: Pads) -> Any:
    """As our layers take a padding: a pair for the only axis, or one for each."""
    return pads[0] if len(pads) == 1 else pads


def _convolution(call: Call) -> Any:
    x, W = call.operand(0), call.constant(1)
    b = call.constant(2)
    if call.get("kernel_shape", list(W.shape[2:])) != list(W.shape[2:]):
        raise ValueError(f"kernel_shape={call.get('kernel_shape', None)} is not that of W")
    options = _windows(call, W.shape[2:])
    options["padding"] = _for_axes(options["padding"])
    kind = (nn.Correlation1d, nn.Correlation2d)[_space(call) - 1]
    groups = call.get("group", 1)
    layer = kind(
        W.shape[1] * groups, len(W), W.shape[2:], groups=groups, bias=b is not None, **options
    )
    if x.shape[1] != W.shape[1] * groups:
        raise ValueError(f"W of shape {W.shape} does not fit {x.shape[1]} channels")
    return (filled(layer, W=W) if b is None else filled(layer, W=W, b=b))(call.node())


def _transposed(call: Call) -> Any:
    W, b = call.constant(1), call.constant(2)
    space, sizes = _space(call), W.shape[2:]
    strides = call.get("strides", [1] * space)
    dilations = call.get("dilations", [1] * space)
    more = call.get("output_padding", [0] * space)
    pads = _transposed_pads(call, sizes, strides, dilations, more)
    kind = (nn.ConvTranspose1d, nn.ConvTranspose2d)[space - 1]
    options = {"stride": tuple(strides), "dilation": tuple(dilations), "padding": _for_axes(pads)}
    if any(more):
        options["output_padding"] = more[0] if space == 1 else tuple(more)
    groups = call.get("group", 1)
    if groups < 1 or len(W) % groups:
        raise ValueError(f"{groups} groups do not divide {len(W)} channels")
    parts = nn.Split(groups, 1)(call.node()) if groups > 1 else (call.node(),)
    biases = [{}] * groups if b is None else [{"b": part} for part in np.split(b, groups)]
    found = []
    for part, weights, bias in zip(parts, np.split(W, groups), biases, strict=True):
        layer = kind(len(weights), W.shape[1], sizes, bias=b is not None, **options)
        found.append(filled(layer, W=weights, **bias)(part))
    return nn.Concatenate(1)(*found) if groups > 1 else found[0]


def _transposed_pads(call: Call, sizes: Any, strides: Any, dilations: Any, more: Any) -> Pads:
    """What is cut off: said by pads, or by the shape that is left."""
    space, how = _space(call), call.get("auto_pad", "NOTSET")
    pads = call.get("pads", [0] * 2 * space)
    shape = call.get("output_shape", None)
    if shape is None and how not in ("SAME_UPPER", "SAME_LOWER"):
        return tuple(zip(pads[:space], pads[space:], strict=True))
    shapes = [array.shape[2:] for array in call.operand(0).arrays]
    if shapes[0] != shapes[1]:
        raise ValueError("an output_shape or auto_pad for axes of any size is not there")
    wanted = [n * s for n, s in zip(shapes[0], strides, strict=True)] if shape is None else shape
    found = []
    for i, n in enumerate(shapes[0]):
        whole = strides[i] * (n - 1) + more[i] + dilations[i] * (sizes[i] - 1) + 1
        cut = whole - wanted[-space:][i]
        small, large = cut // 2, cut - cut // 2
        found.append((small, large) if how == "SAME_UPPER" else (large, small))
    return tuple(found)


def _pool(kinds: Any) -> Callable[[Call], Any]:
    def read(call: Call) -> Any:
        if call.outputs == 1:  # the order of positions, which nobody takes
            call.only("storage_order", 0)
        sizes = call.get("kernel_shape", [])
        options = _windows(call, sizes)
        pads = options.pop("padding")
        node, counted = call.node(), True
        if kinds[0] is nn.AvgPool1d:
            counted = bool(call.get("count_include_pad", 0))
            options["count_padding"] = counted
        options["ceil_mode"] = bool(call.get("ceil_mode", 0))
        options["padding"] = _for_axes(pads)
        return kinds[_space(call) - 1](tuple(sizes), **options)(node)

    return read


def _global(layer: Callable[[], nn.Layer]) -> Callable[[Call], Any]:
    """Over all axes of space, which stay with size 1."""

    def read(call: Call) -> Any:
        ones = [None] * (call.operand(0).ndim - 2)
        return nn.Index((slice(None), slice(None), *ones))(layer()(call.node()))

    return read


def _pad(call: Call) -> Any:
    """First what is cut off, as an Index; then what is added, along any axes."""
    x, pads = call.operand(0), call.constant(1, "pads")
    mode = {"constant": "zeros"}.get(how := call.get("mode", "constant"), how)
    axes = call.constant(3)
    every = np.zeros((2, x.ndim), int)
    every[:, slice(None) if axes is None else axes % x.ndim] = pads.reshape(2, -1)
    if mode not in ("zeros", "reflect", "edge"):
        raise ValueError(f"the attribute mode={how!r} is not there")
    node = call.node()
    if (every < 0).any():
        if mode != "zeros":
            raise ValueError(f"a negative padding with mode={how!r} is not there")
        cut = np.minimum(every, 0).T.tolist()
        node = nn.Index(tuple(slice(-start, stop or None) for start, stop in cut))(node)
    added = np.maximum(every, 0)
    return _filled(call, _longer(node, added, mode), every, mode) if added.any() else node


def _longer(node: Any, added: np.ndarray, mode: str) -> Any:
    """Padded; with two axes in front, where it is not along axes of space alone."""
    widths = tuple(map(tuple, added.T.tolist()))
    if len(widths) > 2 and not added[:, :2].any():
        return nn.Pad(widths[2:], mode)(node)
    return nn.Index((0, 0))(nn.Pad(widths, mode)(nn.Index((None, None))(node)))


def _filled(call: Call, y: Any, every: np.ndarray, mode: str) -> Any:
    """With another number than 0 in the places that are new."""
    x, value = call.operand(0), call.constant(2, "value")
    if value is None or value.item() == 0 or mode != "zeros":
        return y
    along = np.flatnonzero((every > 0).any(0))
    sizes = [np.array(array.shape)[along] for array in x.arrays]
    if (sizes[0] != sizes[1]).any():
        raise ValueError(f"padding with {value.item()} along an axis of any size is not there")
    inside = np.ones(x.ndim, int)
    inside[along] = sizes[0] + np.minimum(every, 0).sum(0)[along]
    if prod((inside + np.maximum(every, 0).sum(0)).tolist()) > MOST:
        raise ValueError(f"a padding by {every.max()} places is too large")
    new = np.pad(np.zeros(inside), np.maximum(every, 0).T, constant_values=value.item())
    return y + new


def _resize(call: Call) -> Any:
    """By whole factors along the axes of space, as Upsample does."""
    x = call.operand(0)
    at = 2 if call.op == "Resize" and call.opset >= 11 else 1
    axes, scales = call.get("axes", None), call.constant(at, "scales")
    if at == 2 and call.has(3):
        scales = _factors(x.arrays, call.operand(3).arrays, axes)
    if axes is not None:
        some, scales = scales, np.ones(x.ndim)
        scales[list(axes)] = some
    factors = [round(float(s)) for s in scales]
    whole = np.abs(np.array(factors) - scales).max() < 1e-6 and min(factors) > 0
    if not whole or factors[:2] != [1, 1]:
        raise ValueError(f"the factors {np.asarray(scales).tolist()} are not there, whole ones are")
    mode, how = call.get("mode", "nearest"), call.get("coordinate_transformation_mode", None)
    call.only("antialias", 0)
    default = "half_pixel" if at == 2 else "asymmetric"
    near = call.get("nearest_mode", "round_prefer_floor" if at == 2 else "floor")
    factor = tuple(factors[2:])
    if mode == "linear" and (how or default) in ("half_pixel", "pytorch_half_pixel"):
        return nn.Upsample(factor, "linear")(call.node())
    same = [(how or default) == "asymmetric" and near == "floor"]
    same.append((how or default) in ("half_pixel",) and near.startswith("round_prefer"))
    if mode == "nearest" and any(same):
        return nn.Upsample(factor)(call.node())
    raise ValueError(f"mode={mode!r} with {how or default!r} and {near!r} is not there")


def _factors(arrays: Any, sizes: Any, axes: Any) -> np.ndarray:
    """What the sizes say, where they are as many times those of x for any batch."""
    own = [np.array(array.shape)[slice(None) if axes is None else list(axes)] for array in arrays]
    first, second = (wanted / n for wanted, n in zip(sizes, own, strict=True))
    if not np.array_equal(first, second):
        raise ValueError("resizing an axis of any size to a fixed one is not there")
    return np.asarray(first)


def _depth_to_space(call: Call) -> Any:
    """Channels as the places of small squares, as torch's PixelShuffle."""
    n, order = call.get("blocksize", 1), (0, 3, 4, 1, 5, 2)
    _, channels, height, width = _sized(call)
    shape = (-1, n, n, channels // n**2, height, width)
    if call.get("mode", "DCR") == "CRD":
        shape, order = (-1, channels // n**2, n, n, height, width), (0, 1, 4, 2, 5, 3)
    parts = nn.Transpose(order)(nn.Reshape(shape)(call.node()))
    return nn.Reshape((-1, channels // n**2, height * n, width * n))(parts)


def _space_to_depth(call: Call) -> Any:
    n = call.get("blocksize", 1)
    _, channels, height, width = _sized(call)
    parts = nn.Reshape((-1, channels, height // n, n, width // n, n))(call.node())
    order = (0, 1, 3, 5, 2, 4) if call.get("mode", "DCR") == "CRD" else (0, 3, 5, 1, 2, 4)
    moved = nn.Transpose(order)(parts)
    return nn.Reshape((-1, channels * n**2, height // n, width // n))(moved)


def _sized(call: Call) -> tuple[int, ...]:
    """The shape of images; all but the batch must be fixed."""
    first, second = (array.shape for array in call.operand(0).arrays)
    if len(first) != 4 or first[1:] != second[1:]:
        raise ValueError("images whose channels, height or width are free are not there")
    return first


FROM_SPACE: dict[str, Callable[[Call], Any]] = {
    "Conv": _convolution,
    "ConvTranspose": _transposed,
    "MaxPool": _pool((nn.MaxPool1d, nn.MaxPool2d)),
    "AveragePool": _pool((nn.AvgPool1d, nn.AvgPool2d)),
    "GlobalAveragePool": _global(nn.GlobalAvgPool),
    "GlobalMaxPool": _global(nn.GlobalMaxPool),
    "Pad": _pad,
    "Resize": _resize,
    "Upsample": _resize,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
}
