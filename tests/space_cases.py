"""Cases of layers on signals and images, and of those that normalize: as in layer_cases.py."""

import nnscratch as nn
from tests.layer_cases import LayerCase, functional, linear


def correlation(axes, **options):
    """torch's correlation, or with flipped=True the convolution of [Proofs]."""
    flipped, ends = options.pop("flipped", False), options.pop("ends", (0, 0))

    def call(torch, params, x):
        W = params["W"].flip(tuple(range(2, axes + 2))) if flipped else params["W"]
        x = torch.nn.functional.pad(x, ends)  # of the last axis first
        return getattr(torch.nn.functional, f"conv{axes}d")(x, W, params.get("b"), **options)

    return call


def transposed(axes, **options):
    def call(torch, params, x):
        function = getattr(torch.nn.functional, f"conv_transpose{axes}d")
        return function(x, params["W"], params.get("b"), **options)

    return call


def perceptron(torch, params, x):
    hidden = torch.tanh(x @ params["0.W"].T + params["0.b"])
    hidden = hidden + torch.tanh(hidden @ params["2.0.W"].T + params["2.0.b"])
    return hidden @ params["3.W"].T


def scanned(torch, params, x):
    return linear(torch, params, x.unfold(1, 4, 2).transpose(2, 3).flatten(2))


def batch_norm(training):
    def call(torch, params, x):
        mean, variance = torch.zeros(3).to(x), torch.ones(3).to(x)
        return torch.nn.functional.batch_norm(
            x, mean, variance, params["gamma"], params["beta"], training
        )

    return call


def normalized(name, *arguments):
    def call(torch, params, x):
        function = getattr(torch.nn.functional, name)
        return function(x, *arguments, params["gamma"], params["beta"])

    return call


THIRDS = [(0, 4), (3, 8), (7, 11)]  # of an axis of 11 places

CASES = [
    LayerCase(
        "Correlation1d",
        lambda: nn.Correlation1d(3, 4, 2, bias=False, rng=1),
        (7, 3, 6),
        correlation(1),
        single=False,
    ),
    LayerCase(
        "Correlation1d",
        lambda: nn.Correlation1d(3, 4, 3, stride=2, padding=(1, 3), dilation=2, rng=1),
        (7, 3, 9),
        correlation(1, ends=(1, 3), stride=2, dilation=2),
        single=False,
    ),
    LayerCase(
        "Correlation2d",
        lambda: nn.Correlation2d(3, 4, (2, 3), rng=1),
        (7, 3, 5, 6),
        correlation(2),
        single=False,
    ),
    LayerCase(
        "Correlation2d",
        lambda: nn.Correlation2d(3, 4, (3, 2), (2, 3), ((1, 2), (0, 1)), (2, 1), rng=1),
        (7, 3, 6, 8),
        correlation(2, ends=(0, 1, 1, 2), stride=(2, 3), dilation=(2, 1)),
        single=False,
    ),
    LayerCase(  # used twice, it fits its own output
        "Correlation2d",
        lambda: nn.Correlation2d(3, 3, (2, 5), padding="same", rng=1),
        (7, 3, 6, 4),
        correlation(2, ends=(2, 2, 0, 1)),
        single=False,
    ),
    LayerCase(
        "Convolution1d",
        lambda: nn.Convolution1d(3, 4, 3, stride=2, padding="full", rng=1),
        (7, 3, 6),
        correlation(1, flipped=True, ends=(2, 2), stride=2),
        single=False,
    ),
    LayerCase(
        "Convolution2d",
        lambda: nn.Convolution2d(3, 4, (2, 3), stride=(1, 2), padding=(0, 1), rng=1),
        (7, 3, 5, 6),
        correlation(2, flipped=True, ends=(1, 1), stride=(1, 2)),
        single=False,
    ),
    LayerCase(
        "ConvTranspose1d",
        lambda: nn.ConvTranspose1d(3, 4, 2, stride=3, padding=1, rng=1),
        (7, 3, 5),
        transposed(1, stride=3, padding=1),
        single=False,
    ),
    LayerCase(
        "ConvTranspose2d",
        lambda: nn.ConvTranspose2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0), bias=False, rng=1),
        (7, 3, 5, 6),
        transposed(2, stride=(2, 1), padding=(1, 0)),
        single=False,
    ),
    LayerCase(
        "MaxPool1d",
        lambda: nn.MaxPool1d(3, stride=2, padding=1),
        (7, 4, 11),
        functional("max_pool1d", kernel_size=3, stride=2, padding=1),
        single=False,
    ),
    LayerCase(
        "MaxPool2d",
        lambda: nn.MaxPool2d(2),
        (7, 3, 6, 5),
        functional("max_pool2d", kernel_size=2),
        single=False,
    ),
    LayerCase(
        "MaxPool2d",
        lambda: nn.MaxPool2d((3, 2), stride=(2, 1), padding=1),
        (7, 3, 6, 5),
        functional("max_pool2d", kernel_size=(3, 2), stride=(2, 1), padding=1),
        single=False,
    ),
    LayerCase(
        "AvgPool1d",
        lambda: nn.AvgPool1d(3, stride=2, padding=1),
        (7, 4, 11),
        functional("avg_pool1d", kernel_size=3, stride=2, padding=1),
        single=False,
    ),
    LayerCase(
        "AvgPool2d",
        lambda: nn.AvgPool2d(2),
        (7, 3, 6, 5),
        functional("avg_pool2d", kernel_size=2),
        single=False,
    ),
    LayerCase(
        "AvgPool2d",
        lambda: nn.AvgPool2d((3, 2), stride=(2, 1), padding=1),
        (7, 3, 6, 5),
        functional("avg_pool2d", kernel_size=(3, 2), stride=(2, 1), padding=1),
        single=False,
    ),
    LayerCase(
        "GlobalAvgPool",
        nn.GlobalAvgPool,
        (7, 3, 6, 5),
        torch=lambda torch, p, x: x.mean((2, 3)),
        single=False,
    ),
    LayerCase(
        "Upsample",
        lambda: nn.Upsample((2, 3)),
        (7, 3, 5, 4),
        torch=lambda torch, p, x: x.repeat_interleave(2, 2).repeat_interleave(3, 3),
        single=False,
    ),
    LayerCase(
        "Scan",
        lambda: nn.Scan(nn.Linear(12, 5, rng=1), window=4, stride=2),
        (7, 11, 3),
        scanned,
        single=False,
    ),
    LayerCase(
        "Scan",
        lambda: nn.Scan(
            nn.Sequential(nn.Linear(12, 5, rng=1), nn.Tanh(), nn.Linear(5, 6, rng=2)), window=4
        ),
        (7, 11, 3),
        single=False,
    ),
    LayerCase("BatchNorm", lambda: nn.BatchNorm(3), (7, 3), batch_axis=False, single=False),
    LayerCase(
        "BatchNorm",
        lambda: nn.BatchNorm(3, momentum=None),
        (7, 3, 4, 5),
        batch_norm(True),
        batch_axis=False,
        single=False,
    ),
    LayerCase(
        "BatchNorm",
        lambda: nn.BatchNorm(3).eval(),
        (7, 3, 4, 5),
        batch_norm(False),
        single=False,
    ),
    LayerCase(
        "LayerNorm",
        lambda: nn.LayerNorm((4, 5)),
        (7, 3, 4, 5),
        normalized("layer_norm", (4, 5)),
        single=False,
    ),
    LayerCase(
        "GroupNorm",
        lambda: nn.GroupNorm(3, 6),
        (7, 6, 4, 5),
        normalized("group_norm", 3),
        single=False,
    ),
    LayerCase(
        "InstanceNorm",
        lambda: nn.InstanceNorm(3),
        (7, 3, 4, 5),
        normalized("group_norm", 3),  # torch's instance_norm takes no empty batch
        single=False,
    ),
    LayerCase(
        "RMSNorm",
        lambda: nn.RMSNorm(5),
        (7, 3, 5),
        lambda torch, p, x: torch.nn.functional.rms_norm(x, (5,), p["gamma"], 1e-5),
        single=False,
    ),
    LayerCase(
        "BatchNorm",
        lambda: nn.BatchNorm(3, affine=False),
        (7, 3, 4),
        batch_axis=False,
        single=False,
    ),
    LayerCase(
        "Conv1d",
        lambda: nn.Conv1d(4, 6, 3, stride=2, padding="same", groups=2, rng=1),
        (7, 4, 9),
        correlation(1, ends=(1, 1), stride=2, groups=2),
        single=False,
    ),
    LayerCase(
        "Conv2d",
        lambda: nn.Conv2d(3, 6, (3, 2), padding=(1, 0), groups=3, rng=1),
        (7, 3, 5, 6),
        correlation(2, ends=(0, 0, 1, 1), groups=3),
        single=False,
    ),
    LayerCase(  # depthwise
        "Conv2d",
        lambda: nn.Conv2d(4, 4, (2, 3), stride=(2, 1), dilation=(1, 2), groups=4, rng=1),
        (7, 4, 5, 8),
        correlation(2, stride=(2, 1), dilation=(1, 2), groups=4),
        single=False,
    ),
    LayerCase(
        "ConvTranspose2d",
        lambda: nn.ConvTranspose2d(
            3, 4, (3, 2), (2, 1), (1, 0), rng=1, output_padding=(1, 2), dilation=(1, 3)
        ),
        (7, 3, 5, 6),
        transposed(2, stride=(2, 1), padding=(1, 0), output_padding=(1, 2), dilation=(1, 3)),
        single=False,
    ),
    LayerCase(
        "MaxPool2d",
        lambda: nn.MaxPool2d((3, 2), (2, 3), ceil_mode=True, dilation=(1, 2)),
        (7, 3, 6, 5),
        functional(
            "max_pool2d", kernel_size=(3, 2), stride=(2, 3), ceil_mode=True, dilation=(1, 2)
        ),
        single=False,
    ),
    LayerCase(
        "AvgPool2d",
        lambda: nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_padding=False),
        (7, 3, 6, 5),
        functional(
            "avg_pool2d",
            kernel_size=3,
            stride=2,
            padding=1,
            ceil_mode=True,
            count_include_pad=False,
        ),
        single=False,
    ),
    LayerCase(
        "AvgPool1d", lambda: nn.AvgPool1d(3, 2, "same", dilation=2), (7, 4, 11), single=False
    ),
    LayerCase(
        "AdaptiveAvgPool1d",
        lambda: nn.AdaptiveAvgPool1d(3),
        (7, 4, 11),
        functional("adaptive_avg_pool1d", output_size=3),
        single=False,
    ),
    LayerCase(
        "AdaptiveAvgPool2d",
        lambda: nn.AdaptiveAvgPool2d((4, 3)),
        (7, 3, 6, 5),
        functional("adaptive_avg_pool2d", output_size=(4, 3)),
        single=False,
    ),
    LayerCase(
        "AdaptiveMaxPool1d",
        lambda: nn.AdaptiveMaxPool1d(3),
        (7, 4, 11),
        lambda torch, p, x: torch.stack([x[..., a:b].amax(-1) for a, b in THIRDS], -1),
        single=False,
    ),
    LayerCase(
        "AdaptiveMaxPool2d",
        lambda: nn.AdaptiveMaxPool2d((2, 3)),
        (7, 3, 6, 11),
        lambda torch, p, x: torch.stack(
            [x.unflatten(2, (2, 3))[..., a:b].amax((3, 4)) for a, b in THIRDS], -1
        ),
        single=False,
    ),
    LayerCase(
        "GlobalMaxPool",
        nn.GlobalMaxPool,
        (7, 3, 6, 5),
        lambda torch, p, x: x.amax((2, 3)),
        single=False,
    ),
    LayerCase(
        "Pad",
        lambda: nn.Pad(((1, 2), (3, 0))),
        (7, 3, 6, 5),
        functional("pad", pad=(3, 0, 1, 2)),
        single=False,
    ),
    LayerCase("Pad", lambda: nn.Pad(2, "reflect"), (7, 3, 6, 5), single=False),
    LayerCase("Pad", lambda: nn.Pad(((1, 3),), "edge"), (7, 4, 6), single=False),
    LayerCase("Upsample", lambda: nn.Upsample(3, "linear"), (7, 3, 5, 4), single=False),
]
