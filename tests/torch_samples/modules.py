"""torch's modules, said in layers and losses of nnscratch."""

from __future__ import annotations

from typing import Any

import nnscratch as nn
from tests.torch_samples import functional
from tests.torch_samples.said import Said, only, say


def linear(there: Any, input: Any) -> Said:
    return functional.linear(input, there.weight, there.bias)


def elementwise(make: Any) -> Any:
    return lambda there, input: say(make(there), input)


def correlation(axes: int) -> Any:
    def convolved(there: Any, input: Any) -> Said:
        only(there.padding_mode == "zeros", f"padding of mode {there.padding_mode}")
        return functional.correlation(axes)(
            input,
            there.weight,
            there.bias,
            there.stride,
            there.padding,
            there.dilation,
            there.groups,
        )

    return convolved


def transposed(axes: int) -> Any:
    def deconvolved(there: Any, input: Any) -> Said:
        return functional.transposed(axes)(
            input,
            there.weight,
            there.bias,
            there.stride,
            there.padding,
            there.output_padding,
            there.groups,
            there.dilation,
        )

    return deconvolved


def average(axes: int) -> Any:
    return lambda there, input: functional.average(axes)(
        input,
        there.kernel_size,
        there.stride,
        there.padding,
        there.ceil_mode,
        there.count_include_pad,
        getattr(there, "divisor_override", None),
    )


def largest(axes: int) -> Any:
    return lambda there, input: functional.largest(axes)(
        input,
        there.kernel_size,
        there.stride,
        there.padding,
        there.dilation,
        there.ceil_mode,
        there.return_indices,
    )


def adaptive(axes: int, make: Any) -> Any:
    return lambda there, input: functional.adaptive(axes, make)(
        input, there.output_size, getattr(there, "return_indices", False)
    )


def batch_norm(there: Any, input: Any) -> Said:
    only(there.momentum is not None, "a running average of all batches")
    training = there.training or there.running_mean is None
    return functional.batch_norm(
        input,
        there.running_mean,
        there.running_var,
        there.weight,
        there.bias,
        training,
        there.momentum,
        there.eps,
    )


def layer_norm(there: Any, input: Any) -> Said:
    return functional.layer_norm(input, there.normalized_shape, there.weight, there.bias, there.eps)


def rms_norm(there: Any, input: Any) -> Said:
    return functional.rms_norm(input, there.normalized_shape, there.weight, there.eps)


def group_norm(there: Any, input: Any) -> Said:
    return functional.group_norm(input, there.num_groups, there.weight, there.bias, there.eps)


def instance_norm(there: Any, input: Any) -> Said:
    axes = int(type(there).__name__[-2])
    only(input.ndim == axes + 2, "one sample without a batch")
    statistics = there.training or there.running_mean is None
    return functional.instance_norm(
        input, None, None, there.weight, there.bias, statistics, there.momentum, there.eps
    )


def embedding(there: Any, input: Any) -> Said:
    return functional.embedding(
        input,
        there.weight,
        there.padding_idx,
        there.max_norm,
        there.norm_type,
        there.scale_grad_by_freq,
    )


def softplus(there: Any, input: Any) -> Said:
    only(there.beta == 1 and there.threshold >= 20, "softplus of another width")
    return say(nn.Softplus(), input)


def of_elements(name: str) -> Any:
    def loss(there: Any, input: Any, target: Any) -> Said:
        options = {k: getattr(there, k) for k in ("delta", "beta") if hasattr(there, k)}
        return functional.FUNCTIONAL[name](input, target, reduction=there.reduction, **options)

    return loss


def bce_with_logits(there: Any, input: Any, target: Any) -> Said:
    return functional.bce_with_logits(
        input, target, there.weight, there.reduction, there.pos_weight
    )


def of_classes(make: Any) -> Any:
    def loss(there: Any, input: Any, target: Any) -> Said:
        return functional.of_classes(make)(
            input,
            target,
            there.weight,
            there.reduction,
            there.ignore_index,
            getattr(there, "label_smoothing", 0.0),
        )

    return loss


def said_module(there: Any, *inputs: Any, **keywords: Any) -> Said:
    """What a module of torch's is here."""
    saying = MODULES[f"nn.{type(there).__name__}"]
    return saying(there, *inputs, **keywords)


MODULES: dict[str, Any] = {
    "nn.Linear": linear,
    "nn.Conv1d": correlation(1),
    "nn.Conv2d": correlation(2),
    "nn.ConvTranspose1d": transposed(1),
    "nn.ConvTranspose2d": transposed(2),
    "nn.AvgPool1d": average(1),
    "nn.AvgPool2d": average(2),
    "nn.MaxPool1d": largest(1),
    "nn.MaxPool2d": largest(2),
    "nn.AdaptiveAvgPool1d": adaptive(1, nn.AdaptiveAvgPool1d),
    "nn.AdaptiveAvgPool2d": adaptive(2, nn.AdaptiveAvgPool2d),
    "nn.AdaptiveMaxPool1d": adaptive(1, nn.AdaptiveMaxPool1d),
    "nn.AdaptiveMaxPool2d": adaptive(2, nn.AdaptiveMaxPool2d),
    "nn.BatchNorm1d": batch_norm,
    "nn.BatchNorm2d": batch_norm,
    "nn.BatchNorm3d": batch_norm,
    "nn.LayerNorm": layer_norm,
    "nn.RMSNorm": rms_norm,
    "nn.GroupNorm": group_norm,
    "nn.InstanceNorm1d": instance_norm,
    "nn.InstanceNorm2d": instance_norm,
    "nn.InstanceNorm3d": instance_norm,
    "nn.Embedding": embedding,
    "nn.ReLU": elementwise(lambda _: nn.ReLU()),
    "nn.ReLU6": elementwise(lambda _: nn.Clip(0.0, 6.0)),
    "nn.Sigmoid": elementwise(lambda _: nn.Sigmoid()),
    "nn.Tanh": elementwise(lambda _: nn.Tanh()),
    "nn.SiLU": elementwise(lambda _: nn.SiLU()),
    "nn.Mish": elementwise(lambda _: nn.Mish()),
    "nn.SELU": elementwise(lambda _: nn.SELU()),
    "nn.Hardswish": elementwise(lambda _: nn.HardSwish()),
    "nn.Hardtanh": elementwise(lambda there: nn.Clip(there.min_val, there.max_val)),
    "nn.Softmax": elementwise(lambda there: nn.Softmax(there.dim)),
    "nn.LogSoftmax": elementwise(lambda there: nn.LogSoftmax(there.dim)),
    "nn.GLU": elementwise(lambda there: nn.GLU(there.dim)),
    "nn.ELU": elementwise(lambda there: nn.ELU(there.alpha)),
    "nn.LeakyReLU": elementwise(lambda there: nn.LeakyReLU(there.negative_slope)),
    "nn.GELU": lambda there, input: functional.gelu(input, approximate=there.approximate),
    "nn.Softplus": softplus,
    "nn.PReLU": lambda there, input: functional.prelu(input, there.weight),
    "nn.MSELoss": of_elements("nn.functional.mse_loss"),
    "nn.L1Loss": of_elements("nn.functional.l1_loss"),
    "nn.HuberLoss": of_elements("nn.functional.huber_loss"),
    "nn.SmoothL1Loss": of_elements("nn.functional.smooth_l1_loss"),
    "nn.BCEWithLogitsLoss": bce_with_logits,
    "nn.CrossEntropyLoss": of_classes(nn.SoftmaxCrossEntropy),
    "nn.NLLLoss": of_classes(nn.NLLLoss),
}
