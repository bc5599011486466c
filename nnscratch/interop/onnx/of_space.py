"""Layers on signals and images -> ONNX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.page import Page, Value
from nnscratch.layers.spatial.windows import Windows


def _windows(layer: Any, x: Value) -> list[Windows]:
    """Those of the layer along the axes of space, all zeros in numbers."""
    return [axis.on(n) for axis, n in zip(layer.windows, x.array.shape[2:], strict=True)]


def _options(windows: list[Windows]) -> dict[str, Any]:
    return {
        "kernel_shape": [axis.size for axis in windows],
        "strides": [axis.stride for axis in windows],
        "dilations": [axis.dilation for axis in windows],
        "pads": [axis.before for axis in windows] + [axis.after for axis in windows],
    }


def _correlation(page: Page, layer: nn.Correlation2d, x: Value) -> str:
    W, b = layer.params["W"], layer.params.get("b")
    if isinstance(layer, (nn.Convolution1d, nn.Convolution2d)):
        W = np.flip(W, tuple(range(2, W.ndim)))
    weights = [W] if b is None else [W, b]
    return page.op("Conv", x, *weights, group=layer.groups, **_options(_windows(layer, x)))


def _transposed(page: Page, layer: nn.ConvTranspose2d, x: Value) -> str:
    """Places that output_padding adds are cut off less, or lie behind all kernels and hold b."""
    W, b = layer.params["W"], layer.params.get("b")
    lengths = [n * axis.stride for n, axis in zip(x.array.shape[2:], layer.windows, strict=True)]
    windows = [axis.on(n) for n, axis in zip(lengths, layer.windows, strict=True)]
    more = np.broadcast_to(layer.output_padding, len(windows)).tolist()
    behind = [max(n - axis.after, 0) for n, axis in zip(more, windows, strict=True)]
    windows = [
        replace(axis, after=max(axis.after - n, 0)) for n, axis in zip(more, windows, strict=True)
    ]
    y = page.op("ConvTranspose", x, W, **_options(windows))
    if any(behind):
        y = _padded(page, Value(y, x.array), [0] * len(behind) + behind, 0)
    return y if b is None else page.op("Add", y, b.reshape(-1, *(1,) * len(windows)))


def _max_pool(page: Page, layer: nn.MaxPool2d, x: Value) -> str:
    options = _options(_windows(layer, x))
    if any(
        pad >= size for pad, size in zip(options["pads"], options["kernel_shape"] * 2, strict=True)
    ):
        x = Value(_padded(page, x, options.pop("pads"), -np.inf), x.array)
    return page.op("MaxPool", x, **options)


def _average(page: Page, layer: nn.AvgPool2d, x: Value) -> str:
    """As a sum, a correlation with ones, over how many elements each window counts."""
    windows = _windows(layer, x)
    options = _options(windows)
    if any(options["pads"]) or max(options["dilations"]) > 1:
        channels, dtype = x.array.shape[1], x.array.dtype
        ones = np.ones((channels, 1, *options["kernel_shape"]), dtype)
        sums = page.op("Conv", x, ones, group=channels, **options)
        return page.op("Div", sums, _counts(layer, windows, x.array.shape[2:]).astype(dtype))
    del options["dilations"]
    return page.op("AveragePool", x, **options)


def _counts(layer: Any, windows: list[Windows], space: tuple[int, ...]) -> np.ndarray:
    """How many elements each window counts: those on x, over their share, the mean of ones."""
    ones = np.ones((1, 1, *space))
    share = layer.forward_pass(ones)[0][0, 0]
    each = [axis.seen(n, 0, n) for axis, n in zip(windows, space, strict=True)]
    inside = reduce(np.multiply.outer, map(np.array, each))
    return np.where(inside == 0, 1, inside / np.where(share == 0, 1, share))


def _global(kind: str) -> Callable[[Page, Any, Value], str]:
    def write(page: Page, layer: Any, x: Value) -> str:
        name: str = page.op(kind, x, page.ints(*range(2, x.array.ndim)), keepdims=0)
        return name

    return write


def _adaptive(kind: str) -> Callable[[Page, Any, Value], str]:
    """Each window by itself, along one axis after the other."""

    def write(page: Page, layer: Any, x: Value) -> str:
        y = page.op("Identity", x)
        sizes = np.broadcast_to(layer.size, x.array.ndim - 2).tolist()
        for axis, count in enumerate(sizes, 2):
            length, parts = x.array.shape[axis], []
            for i in range(count):
                start, stop = i * length // count, -(-(i + 1) * length // count)
                ends = page.ints(start), page.ints(stop), page.ints(axis)
                parts.append(page.op(kind, page.op("Slice", y, *ends), page.ints(axis), keepdims=1))
            y = page.op("Concat", *parts, axis=axis)
        return y

    return write


def _pad(page: Page, layer: nn.Pad, x: Value) -> str:
    space = x.array.ndim - 2
    widths = [layer.widths] * space if isinstance(layer.widths, int) else layer.widths
    pairs = [(entry, entry) if isinstance(entry, int) else entry for entry in widths]
    pads = [before for before, _ in pairs] + [after for _, after in pairs]
    mode = {"zeros": "constant"}.get(layer.mode, layer.mode)
    return _padded(page, x, pads, 0, mode)


def _padded(page: Page, x: Value, pads: list[int], value: float, mode: str = "constant") -> str:
    """pads: before each axis of space, then after each."""
    half = len(pads) // 2
    every = page.ints(0, 0, *pads[:half], 0, 0, *pads[half:])
    filling = [np.array(value, x.array.dtype)] if mode == "constant" else []
    return page.op("Pad", x, every, *filling, mode=mode)


def _upsample(page: Page, layer: nn.Upsample, x: Value) -> str:
    factors = np.broadcast_to(layer.factor, x.array.ndim - 2).astype(np.float32)
    scales = np.concatenate([np.ones(2, np.float32), factors])
    how: dict[str, Any] = {}
    if layer.mode == "nearest":
        how = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return page.op("Resize", x, None, scales, mode="nearest", **how)
    how["coordinate_transformation_mode"] = "half_pixel"
    return page.op("Resize", x, None, scales, mode="linear", **how)


OF_SPACE: dict[type[nn.Layer], Callable[..., Any]] = {
    nn.Correlation1d: _correlation,
    nn.Correlation2d: _correlation,
    nn.Convolution1d: _correlation,
    nn.Convolution2d: _correlation,
    nn.ConvTranspose1d: _transposed,
    nn.ConvTranspose2d: _transposed,
    nn.MaxPool1d: _max_pool,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool1d: _average,
    nn.AvgPool2d: _average,
    nn.GlobalAvgPool: _global("ReduceMean"),
    nn.GlobalMaxPool: _global("ReduceMax"),
    nn.AdaptiveAvgPool1d: _adaptive("ReduceMean"),
    nn.AdaptiveAvgPool2d: _adaptive("ReduceMean"),
    nn.AdaptiveMaxPool1d: _adaptive("ReduceMax"),
    nn.AdaptiveMaxPool2d: _adaptive("ReduceMax"),
    nn.Pad: _pad,
    nn.Upsample: _upsample,
}
