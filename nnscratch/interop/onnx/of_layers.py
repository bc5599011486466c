"""Layers -> ONNX: activations, linear layers, normalization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.page import Page, Value

Written = Callable[[Page, Any, Value], Any]


def same(kind: str, **attributes: Any) -> Written:
    """A layer that ONNX has under another name."""
    return lambda page, layer, x: page.op(kind, x, **attributes)


def _leaky(page: Page, layer: nn.LeakyReLU, x: Value) -> str:
    return page.op("LeakyRelu", x, alpha=float(layer.slope))


def _elu(page: Page, layer: nn.ELU, x: Value) -> str:
    return page.op("Elu", x, alpha=float(layer.alpha))


def _selu(page: Page, layer: nn.SELU, x: Value) -> str:
    return page.op("Selu", x, alpha=float(layer.alpha), gamma=float(layer.scale))


def _prelu(page: Page, layer: nn.PReLU, x: Value) -> str:
    slope = layer.params["slope"]
    shape = (-1, *(1,) * (x.array.ndim - 2)) if slope.size > 1 else (1,)
    return page.op("PRelu", x, slope.reshape(shape))


def _silu(page: Page, layer: nn.SiLU, x: Value) -> str:
    return page.op("Mul", x, page.op("Sigmoid", x))


def _glu(page: Page, layer: nn.GLU, x: Value) -> str:
    half = x.array.shape[layer.axis] // 2
    a, b = page.op("Split", x, page.ints(half, half), axis=layer.axis, outputs=2)
    return page.op("Mul", a, page.op("Sigmoid", b))


def _softmax(kind: str) -> Written:
    return lambda page, layer, x: page.op(kind, x, axis=layer.axis)


def _flatten(page: Page, layer: nn.Flatten, x: Value) -> str:
    return page.op("Flatten", x, axis=1)


def _linear(page: Page, layer: nn.Linear, x: Value) -> str:
    W, b = layer.params["W"], layer.params.get("b")
    if x.array.ndim == 2:
        return page.op("Gemm", x, W, *([] if b is None else [b]), transB=1)
    y = page.op("MatMul", x, W.T)
    return y if b is None else page.op("Add", y, b)


def _bias(page: Page, layer: nn.Bias, x: Value) -> str:
    return page.op("Add", x, layer.params["b"])


def _embedding(page: Page, layer: nn.Embedding, x: Value) -> str:
    return page.op("Gather", layer.params["W"], page.cast(x, np.int64), axis=0)


def _affine(layer: Any, shape: Any, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """gamma and beta, ones and zeros where the layer has none."""
    ones, zeros = np.ones(shape, dtype), np.zeros(shape, dtype)
    return layer.params.get("gamma", ones), layer.params.get("beta", zeros)


def _batch_norm(page: Page, layer: nn.BatchNorm, x: Value) -> str:
    gamma, beta = _affine(layer, layer.features, x.array.dtype)
    mean, variance = layer.buffers["running_mean"], layer.buffers["running_var"]
    statistics = mean.astype(x.array.dtype), variance.astype(x.array.dtype)
    return page.op("BatchNormalization", x, gamma, beta, *statistics, epsilon=layer.epsilon)


def _normalize(page: Page, layer: nn.Normalize, x: Value) -> str:
    across = (-1, *(1,) * (x.array.ndim - 1 - layer.axis % x.array.ndim))
    mean, std = (
        layer.buffers[key].astype(x.array.dtype).reshape(across) for key in ("mean", "std")
    )
    return page.op("Div", page.op("Sub", x, mean), std)


def _layer_norm(page: Page, layer: nn.LayerNorm, x: Value) -> str:
    gamma, beta = _affine(layer, layer.shape, x.array.dtype)
    axis = -len(layer.shape)
    return page.op("LayerNormalization", x, gamma, beta, axis=axis, epsilon=layer.epsilon)


def _rms_norm(page: Page, layer: nn.RMSNorm, x: Value) -> str:
    gamma, _ = _affine(layer, layer.shape, x.array.dtype)
    axes = page.ints(*range(-len(layer.shape), 0))
    square = page.op("ReduceMean", page.op("Mul", x, x), axes, keepdims=1)
    root = page.op("Sqrt", page.op("Add", square, np.array(layer.epsilon, x.array.dtype)))
    return page.op("Mul", page.op("Div", x, root), gamma)


def _group_norm(page: Page, layer: nn.GroupNorm, x: Value) -> str:
    """Each group as one channel of an InstanceNormalization, then the factors of the channels."""
    gamma, beta = _affine(layer, layer.channels, x.array.dtype)
    ones, zeros = np.ones(layer.groups, x.array.dtype), np.zeros(layer.groups, x.array.dtype)
    rows = page.op("Reshape", x, page.ints(0, layer.groups, -1))
    normal = page.op("InstanceNormalization", rows, ones, zeros, epsilon=layer.epsilon)
    y = page.op("Reshape", normal, page.ints(0, *x.array.shape[1:]))
    if not layer.affine:
        return y
    across = (-1, *(1,) * (x.array.ndim - 2))
    return page.op("Add", page.op("Mul", y, gamma.reshape(across)), beta.reshape(across))


OF_LAYERS: dict[type[nn.Layer], Written] = {
    nn.Identity: same("Identity"),
    nn.Dropout: same("Identity"),  # in evaluation
    nn.Sigmoid: same("Sigmoid"),
    nn.Tanh: same("Tanh"),
    nn.Softplus: same("Softplus"),
    nn.HardSigmoid: same("HardSigmoid", alpha=1 / 6, beta=0.5),
    nn.HardSwish: same("HardSwish"),
    nn.Mish: same("Mish"),
    nn.GELU: same("Gelu"),
    nn.ReLU: same("Relu"),
    nn.LeakyReLU: _leaky,
    nn.PReLU: _prelu,
    nn.ELU: _elu,
    nn.SELU: _selu,
    nn.SiLU: _silu,
    nn.GLU: _glu,
    nn.Softmax: _softmax("Softmax"),
    nn.LogSoftmax: _softmax("LogSoftmax"),
    nn.Flatten: _flatten,
    nn.Linear: _linear,
    nn.Bias: _bias,
    nn.Embedding: _embedding,
    nn.BatchNorm: _batch_norm,
    nn.Normalize: _normalize,
    nn.LayerNorm: _layer_norm,
    nn.RMSNorm: _rms_norm,
    nn.GroupNorm: _group_norm,
}
