"""ONNX -> layers: activations, matrix products with weights, normalization."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from nnscratch import layers as nn
from nnscratch.interop.onnx.call import Call, filled


def _unchanged(call: Call) -> Any:
    return nn.Identity()(call.node()) if call.operand(0).node is None else call.node()


def _dropout(call: Call) -> Any:
    """In evaluation, where nothing is dropped; who takes the mask hears that it is not there."""
    training = call.constant(2)
    if training is not None and bool(training):
        raise ValueError("dropping in evaluation is not there")
    return _unchanged(call)


def plain(layer: Callable[[], nn.Layer]) -> Callable[[Call], Any]:
    """An operator that is a layer without arguments."""
    return lambda call: layer()(call.node())


def _leaky(call: Call) -> Any:
    return nn.LeakyReLU(float(call.get("alpha", 0.01)))(call.node())


def _elu(call: Call) -> Any:
    return nn.ELU(float(call.get("alpha", 1.0)))(call.node())


def _selu(call: Call) -> Any:
    alpha, scale = call.get("alpha", nn.SELU.alpha), call.get("gamma", nn.SELU.scale)
    if abs(alpha - nn.SELU.alpha) < 1e-6 and abs(scale - nn.SELU.scale) < 1e-6:
        return nn.SELU()(call.node())
    return nn.ELU(float(alpha))(call.node()) * float(scale)


def _celu(call: Call) -> Any:
    alpha = float(call.get("alpha", 1.0))
    return nn.ELU()(call.node() / alpha) * alpha


def _scaler(call: Call) -> Any:
    """(x - offset) · scale, with a number for each feature or one for all."""
    offset, scale = (np.asarray(call.get(k, [n]), "f4") for k, n in (("offset", 0), ("scale", 1)))
    return (call.node() - offset) * scale


def _prelu(call: Call) -> Any:
    """One slope, or one per channel, is a layer; others are the formula."""
    x, slope = call.operand(0), call.operand(1)
    if slope.trained and slope.array.size in (1, *x.shape[1:2]):
        across = (-1, *(1,) * (x.ndim - 2))
        if slope.array.size == 1 or slope.shape in (across, (slope.array.size, *across[1:])):
            return filled(nn.PReLU(slope.array.size), slope=slope.array.ravel())(call.node())
    x, s = call.node(), call.node(1)
    return nn.Maximum()(x, 0.0) + s * nn.Minimum()(x, 0.0)


def _hard_sigmoid(call: Call) -> Any:
    alpha, beta = float(call.get("alpha", 0.2)), float(call.get("beta", 0.5))
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return nn.HardSigmoid()(call.node())
    return nn.Clip(0.0, 1.0)(call.node() * alpha + beta)


def _softsign(call: Call) -> Any:
    x = call.node()
    return x / (nn.Abs()(x) + 1)


def _gelu(call: Call) -> Any:
    x = call.node()
    call.only("approximate", "none", "tanh")
    if call.get("approximate", "none") == "none":
        return nn.GELU()(x)
    inside = (x + x * x * x * 0.044715) * float(np.sqrt(2 / np.pi))
    return x * 0.5 * (nn.Tanh()(inside) + 1)


def _softmax(layer: Callable[[int], nn.Layer]) -> Callable[[Call], Any]:
    """Along one axis; up to opset 12 over all axes from one on."""

    def read(call: Call) -> Any:
        x = call.operand(0)
        axis = call.get("axis", -1 if call.opset >= 13 else 1)
        if call.opset >= 13 or axis % x.ndim == x.ndim - 1:
            return layer(axis)(call.node())
        axis %= x.ndim
        if prod(x.shape[axis + 1 :]) == 1:  # such as channels of one place each
            return layer(axis)(call.node())
        if axis != 1 or x.arrays[0].shape[1:] != x.arrays[1].shape[1:]:
            raise ValueError("a softmax over several axes takes all but the batch, of known sizes")
        return nn.Reshape((-1, *x.shape[1:]))(layer(-1)(nn.Flatten()(call.node())))

    return read


def _matmul(call: Call) -> Any:
    """A product with a matrix of weights is a Linear, others are the operator."""
    W = call.operand(1)
    if W.trained and W.ndim == 2 and call.operand(0).node is not None:
        return _linear(W.array.T)(call.node())
    return nn.MatMul()(call.node(), call.node(1))


def _gemm(call: Call) -> Any:
    """alpha A' B' + beta C."""
    A, B = call.node(), call.operand(1)
    alpha, beta = float(call.get("alpha", 1.0)), float(call.get("beta", 1.0))
    if call.get("transA", 0):
        A = nn.Transpose()(A)
    C = call.operand(2) if call.has(2) else None
    if B.trained and (C is None or (C.trained and C.array.ndim < 2)):
        W = B.array if call.get("transB", 0) else B.array.T
        b = None if C is None else np.broadcast_to(C.array * beta, len(W)).astype(W.dtype)
        return _linear((W * alpha).astype(W.dtype), b)(A)
    second = nn.Transpose()(call.node(1)) if call.get("transB", 0) else call.node(1)
    y = nn.MatMul()(A, second)
    y = y if alpha == 1 else y * alpha
    return y if C is None else y + (call.node(2) if beta == 1 else nn.Mul()(call.node(2), beta))


def _linear(W: np.ndarray, b: np.ndarray | None = None) -> nn.Layer:
    layer = nn.Linear(W.shape[1], W.shape[0], bias=b is not None, initializer=_zeros)
    return filled(layer, W=W) if b is None else filled(layer, W=W, b=b)


def _zeros(shape: Any, *_: Any, **__: Any) -> np.ndarray:
    return np.zeros(shape)


def _batch_norm(call: Call) -> Any:
    gamma, beta, mean, variance = (call.constant(i) for i in range(1, 5))
    call.only("training_mode", 0)
    call.only("spatial", 1)
    layer = nn.BatchNorm(len(gamma), 1 - call.get("momentum", 0.9), call.get("epsilon", 1e-5))
    filled(layer, gamma=gamma, beta=beta)
    layer.buffers["running_mean"], layer.buffers["running_var"] = mean, variance
    return layer(call.node())


def _layer_norm(call: Call) -> Any:
    call.only("stash_type", 1)
    shape, epsilon = _normalized(call)
    gamma = np.broadcast_to(call.constant(1), shape)
    beta = np.broadcast_to(call.constant(2), shape) if call.has(2) else np.zeros(shape)
    y = filled(nn.LayerNorm(shape, epsilon), gamma=gamma, beta=beta)(call.node())
    if call.outputs == 1:
        return y
    mean = nn.Mean(axes := tuple(range(-len(shape), 0)), keepdims=True)
    centre = mean(x := call.node())
    deviation = nn.Mean(axes, keepdims=True)(nn.Square()(x - centre))
    return (y, centre, nn.Power(-0.5)(deviation + epsilon))[: call.outputs]


def _rms_norm(call: Call) -> Any:
    shape, epsilon = _normalized(call)
    gamma = np.broadcast_to(call.constant(1), shape)
    return filled(nn.RMSNorm(shape, epsilon), gamma=gamma)(call.node())


def _normalized(call: Call) -> tuple[tuple[int, ...], float]:
    """The axes to normalize over, and epsilon."""
    x = call.operand(0)
    axis = call.get("axis", -1) % x.ndim
    shape = x.shape[axis:]
    if x.arrays[1].shape[axis:] != shape:
        raise ValueError(f"the axes from {axis} on have no fixed sizes")
    return shape, call.get("epsilon", 1e-5)


def _instance_norm(call: Call) -> Any:
    layer = nn.InstanceNorm(len(call.constant(1)), call.get("epsilon", 1e-5))
    return filled(layer, gamma=call.constant(1), beta=call.constant(2))(call.node())


def _group_norm(call: Call) -> Any:
    """From opset 21 on with factors for each channel, before with factors for each group."""
    groups, channels = call.get("num_groups", 1), call.operand(0).shape[1]
    gamma, beta = call.constant(1), call.constant(2)
    if len(gamma) != channels:
        gamma, beta = (np.repeat(a, channels // groups) for a in (gamma, beta))
    layer = nn.GroupNorm(groups, channels, call.get("epsilon", 1e-5))
    return filled(layer, gamma=gamma, beta=beta)(call.node())


FROM_LAYERS: dict[str, Callable[[Call], Any]] = {
    "Identity": _unchanged,
    "Dropout": _dropout,
    "Relu": plain(nn.ReLU),
    "LeakyRelu": _leaky,
    "PRelu": _prelu,
    "Elu": _elu,
    "Selu": _selu,
    "Celu": _celu,
    "Scaler": _scaler,
    "Sigmoid": plain(nn.Sigmoid),
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": plain(nn.HardSwish),
    "Swish": lambda call: call.node() * nn.Sigmoid()(call.node() * float(call.get("alpha", 1.0))),
    "Tanh": plain(nn.Tanh),
    "Softplus": plain(nn.Softplus),
    "Softsign": _softsign,
    "Mish": plain(nn.Mish),
    "Gelu": _gelu,
    "Softmax": _softmax(nn.Softmax),
    "LogSoftmax": _softmax(nn.LogSoftmax),
    "MatMul": _matmul,
    "Gemm": _gemm,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "RMSNormalization": _rms_norm,
    "InstanceNormalization": _instance_norm,
    "GroupNormalization": _group_norm,
}
