"""torch.nn.functional by its names, said in layers and losses of nnscratch."""

from __future__ import annotations

from typing import Any

import numpy as np

import nnscratch as nn
from tests.torch_samples.said import Said, Without, only, say


def plain(make: Any) -> Any:
    return lambda input, inplace=False: say(make(), input)


def gelu(input: Any, *, approximate: str = "none") -> Said:
    only(approximate == "none", "GELU approximated by tanh")
    return say(nn.GELU(), input)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Said:
    only(alpha > 0, "a negative alpha")
    return say(nn.ELU(alpha), input)


def prelu(input: Any, weight: Any) -> Said:
    return say(nn.PReLU(weight.numel()), input, slope=weight)


def linear(input: Any, weight: Any, bias: Any = None) -> Said:
    only(weight.ndim == 2, "a vector for a matrix")
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    return say(layer, input, W=weight, b=bias)


def several(value: Any, axes: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, list | tuple) else (value,)
    return values * axes if len(values) == 1 else values


def correlation(axes: int) -> Any:
    make = (nn.Correlation1d, nn.Correlation2d)[axes - 1]

    def convolved(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Said:
        only(input.ndim == axes + 2, "one sample without a batch")
        if padding == "same" and any((k - 1) * d % 2 for k, d in widths(weight, dilation, axes)):
            raise Without("'same' with an extra zero: at the beginning there, at the end here")
        layer = make(
            weight.shape[1] * groups,
            weight.shape[0],
            tuple(weight.shape[2:]),
            stride=several(stride, axes),
            padding=padding if isinstance(padding, str) else several(padding, axes),
            dilation=several(dilation, axes),
            groups=groups,
            bias=bias is not None,
        )
        return say(layer, input, W=weight, b=bias)

    return convolved


def widths(weight: Any, dilation: Any, axes: int) -> list[tuple[int, int]]:
    return list(zip(weight.shape[2:], several(dilation, axes), strict=True))


def transposed(axes: int) -> Any:
    make = (nn.ConvTranspose1d, nn.ConvTranspose2d)[axes - 1]

    def deconvolved(
        input: Any,
        weight: Any,
        bias: Any = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Said:
        only(input.ndim == axes + 2, "one sample without a batch")
        only(groups == 1, "groups of a transposed convolution")
        layer = make(
            weight.shape[0],
            weight.shape[1],
            tuple(weight.shape[2:]),
            stride=several(stride, axes),
            padding=several(padding, axes),
            output_padding=several(output_padding, axes),
            dilation=several(dilation, axes),
            bias=bias is not None,
        )
        return say(layer, input, W=weight, b=bias)

    return deconvolved


def average(axes: int) -> Any:
    make = (nn.AvgPool1d, nn.AvgPool2d)[axes - 1]

    def pooled(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Any = None,
    ) -> Said:
        only(input.ndim == axes + 2, "one sample without a batch")
        only(divisor_override is None, "a divisor of one's own")
        layer = make(
            several(kernel_size, axes),
            None if stride is None or stride == () else several(stride, axes),
            several(padding, axes),
            ceil_mode=ceil_mode,
            count_padding=count_include_pad,
        )
        return say(layer, input)

    return pooled


def largest(axes: int) -> Any:
    make = (nn.MaxPool1d, nn.MaxPool2d)[axes - 1]

    def pooled(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Said:
        only(input.ndim == axes + 2, "one sample without a batch")
        only(not return_indices, "positions")
        layer = make(
            several(kernel_size, axes),
            None if stride is None or stride == () else several(stride, axes),
            several(padding, axes),
            ceil_mode=ceil_mode,
            dilation=several(dilation, axes),
        )
        return say(layer, input)

    return pooled


def adaptive(axes: int, make: Any) -> Any:
    def pooled(input: Any, output_size: Any, return_indices: bool = False) -> Said:
        only(input.ndim == axes + 2, "one sample without a batch")
        only(not return_indices, "positions")
        sizes = several(output_size, axes)
        sizes = tuple(n or m for n, m in zip(sizes, input.shape[2:], strict=True))
        return say(make(sizes), input)

    return pooled


def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Said:
    only(input.ndim > 1, "one sample without a batch")
    only((weight is None) == (bias is None), "a scale without a shift")
    only(training or running_mean is not None, "statistics that are not there")
    layer = nn.BatchNorm(input.shape[1], momentum, eps, affine=weight is not None).astype("f8")
    if not training:
        layer.eval()
        layer.buffers["running_mean"] = running_mean.detach().numpy()
        layer.buffers["running_var"] = running_var.detach().numpy()
    return say(layer, input, gamma=weight, beta=bias)


def layer_norm(
    input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Said:
    only((weight is None) == (bias is None), "a scale without a shift")
    layer = nn.LayerNorm(tuple(normalized_shape), eps, affine=weight is not None)
    return say(layer, input, gamma=weight, beta=bias)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> Said:
    epsilon = np.finfo("f8").eps if eps is None else eps
    layer = nn.RMSNorm(tuple(normalized_shape), float(epsilon), affine=weight is not None)
    return say(layer, input, gamma=weight)


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Said:
    only((weight is None) == (bias is None), "a scale without a shift")
    layer = nn.GroupNorm(num_groups, input.shape[1], eps, affine=weight is not None)
    return say(layer, input, gamma=weight, beta=bias)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Said:
    only(use_input_stats, "running statistics of InstanceNorm")
    only((weight is None) == (bias is None), "a scale without a shift")
    layer = nn.InstanceNorm(input.shape[1], eps, affine=weight is not None)
    return say(layer, input, gamma=weight, beta=bias)


def embedding(
    input: Any,
    weight: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Said:
    # OpInfo's samples have the weight first
    weight, input = (input, weight) if input.is_floating_point() else (weight, input)
    only(max_norm is None and not scale_grad_by_freq, "rows that are rescaled")
    index = padding_idx if padding_idx is None or padding_idx >= 0 else len(weight) + padding_idx
    return say(nn.Embedding(*weight.shape, padding_index=index), input, W=weight)


def pad(input: Any, pad: Any, mode: str = "constant", value: Any = None) -> Said:
    ours = {"constant": "zeros", "reflect": "reflect", "replicate": "edge"}
    only(mode in ours, f"padding of mode {mode}")
    only(not value, "padding by another number than 0")
    only(min(pad) >= 0, "negative padding")
    only(len(pad) == 2 * (input.ndim - 2), "padding of the batch or of the channels")
    pairs = [tuple(pad[i : i + 2]) for i in range(0, len(pad), 2)][::-1]
    return say(nn.Pad(tuple(pairs), ours[mode]), input)


# Losses ------------------------------------------------------------------------------------------


def by_elements(make: Any, factor: float = 1.0) -> Any:
    """Losses of torch that are means over all elements: here each element is made a sample."""

    def loss(input: Any, target: Any, reduction: str = "mean", **options: Any) -> Said:
        only(options.pop("weight", None) is None, "weights of elements")
        only(input.shape == target.shape, "targets that are broadcast")
        x, t = nn.Input(), nn.Input()
        of_each = nn.Reshape((-1, 1))
        value = make(reduction=reduction, **options)(of_each(x), of_each(t))
        if reduction == "none":
            value = nn.Reshape(tuple(input.shape))(value)
        return say(nn.Graph([x, t], value), input, target, times=factor)

    return loss


def bce_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Said:
    only(pos_weight is None, "weights of positive targets that are broadcast")
    return by_elements(nn.BCEWithLogits)(input, target, reduction, weight=weight)


def smooth_l1(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Said:
    only(beta > 0, "a smooth_l1 without a smooth part")
    return by_elements(nn.HuberLoss, 1 / beta)(input, target, reduction, delta=beta)


def of_classes(make: Any) -> Any:
    def loss(
        input: Any,
        target: Any,
        weight: Any = None,
        reduction: str = "mean",
        ignore_index: int = -100,
        label_smoothing: float = 0.0,
    ) -> Said:
        only(not target.requires_grad, "a gradient by the target")
        labels = not target.is_floating_point()
        only(labels or input.ndim == 2, "probabilities of one sample, or in space")
        ignored = bool(labels and (target == ignore_index).any())
        loss = make(
            class_weights=None if weight is None else weight.detach().numpy(),
            ignore_index=ignore_index if ignored else None,
            reduction=reduction,
            **({"label_smoothing": label_smoothing} if label_smoothing else {}),
        )
        if input.ndim == 2:
            return say(loss, input, target)
        x, t = nn.Input(), nn.Input()
        if input.ndim == 1:  # one sample without a batch
            target = target.reshape(1)
            value = loss(nn.Reshape((1, -1))(x), t)
            value = nn.Reshape(())(value) if reduction == "none" else value
        else:  # classes come last here
            value = loss(nn.Transpose([0, *range(2, input.ndim), 1])(x), t)
        return say(nn.Graph([x, t], value), input, target)

    return loss


FUNCTIONAL: dict[str, Any] = {
    **{
        f"nn.functional.{name}": plain(make)
        for name, make in {
            "relu": nn.ReLU,
            "silu": nn.SiLU,
            "mish": nn.Mish,
            "hardswish": nn.HardSwish,
            "hardsigmoid": nn.HardSigmoid,
            "selu": nn.SELU,
            "relu6": lambda: nn.Clip(0.0, 6.0),
        }.items()
    },
    "nn.functional.leaky_relu": lambda input, negative_slope=0.01, inplace=False: say(
        nn.LeakyReLU(negative_slope), input
    ),
    "nn.functional.hardtanh": lambda input, min_val=-1.0, max_val=1.0, inplace=False: say(
        nn.Clip(min_val, max_val), input
    ),
    "nn.functional.glu": lambda input, dim=-1: say(nn.GLU(dim), input),
    "nn.functional.gelu": gelu,
    "nn.functional.elu": elu,
    "nn.functional.prelu": prelu,
    "nn.functional.linear": linear,
    "nn.functional.conv1d": correlation(1),
    "nn.functional.conv2d": correlation(2),
    "nn.functional.conv_transpose1d": transposed(1),
    "nn.functional.conv_transpose2d": transposed(2),
    "nn.functional.avg_pool1d": average(1),
    "nn.functional.avg_pool2d": average(2),
    "nn.functional.max_pool1d": largest(1),
    "nn.functional.max_pool2d": largest(2),
    "nn.functional.adaptive_avg_pool1d": adaptive(1, nn.AdaptiveAvgPool1d),
    "nn.functional.adaptive_avg_pool2d": adaptive(2, nn.AdaptiveAvgPool2d),
    "nn.functional.adaptive_max_pool1d": adaptive(1, nn.AdaptiveMaxPool1d),
    "nn.functional.adaptive_max_pool2d": adaptive(2, nn.AdaptiveMaxPool2d),
    "nn.functional.batch_norm": batch_norm,
    "nn.functional.layer_norm": layer_norm,
    "nn.functional.rms_norm": rms_norm,
    "nn.functional.group_norm": group_norm,
    "nn.functional.instance_norm": instance_norm,
    "nn.functional.embedding": embedding,
    "nn.functional.pad": pad,
    "nn.functional.mse_loss": by_elements(nn.MSELoss, 2.0),
    "nn.functional.l1_loss": by_elements(nn.L1Loss),
    "nn.functional.huber_loss": by_elements(nn.HuberLoss),
    "nn.functional.smooth_l1_loss": smooth_l1,
    "nn.functional.binary_cross_entropy_with_logits": bce_with_logits,
    "nn.functional.cross_entropy": of_classes(nn.SoftmaxCrossEntropy),
    "nn.functional.nll_loss": of_classes(nn.NLLLoss),
}
