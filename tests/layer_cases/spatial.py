"""Layers on signals and images."""

import nnscratch as nn
from tests.layer_cases.case import LayerCase, functional


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


CASES = [
    LayerCase(
        lambda: nn.Correlation1d(3, 4, 2, bias=False, rng=1),
        (7, 3, 6),
        correlation(1),
    ),
    LayerCase(
        lambda: nn.Correlation1d(3, 4, 3, stride=2, padding=(1, 3), dilation=2, rng=1),
        (7, 3, 9),
        correlation(1, ends=(1, 3), stride=2, dilation=2),
    ),
    LayerCase(
        lambda: nn.Correlation2d(3, 4, (2, 3), rng=1),
        (7, 3, 5, 6),
        correlation(2),
    ),
    LayerCase(
        lambda: nn.Correlation2d(3, 4, (3, 2), (2, 3), ((1, 2), (0, 1)), (2, 1), rng=1),
        (7, 3, 6, 8),
        correlation(2, ends=(0, 1, 1, 2), stride=(2, 3), dilation=(2, 1)),
    ),
    LayerCase(  # used twice, it fits its own output
        lambda: nn.Correlation2d(3, 3, (2, 5), padding="same", rng=1),
        (7, 3, 6, 4),
        correlation(2, ends=(2, 2, 0, 1)),
    ),
    LayerCase(
        lambda: nn.Convolution1d(3, 4, 3, stride=2, padding="full", rng=1),
        (7, 3, 6),
        correlation(1, flipped=True, ends=(2, 2), stride=2),
    ),
    LayerCase(
        lambda: nn.Convolution2d(3, 4, (2, 3), stride=(1, 2), padding=(0, 1), rng=1),
        (7, 3, 5, 6),
        correlation(2, flipped=True, ends=(1, 1), stride=(1, 2)),
    ),
    LayerCase(
        lambda: nn.ConvTranspose1d(3, 4, 2, stride=3, padding=1, rng=1),
        (7, 3, 5),
        transposed(1, stride=3, padding=1),
    ),
    LayerCase(
        lambda: nn.ConvTranspose2d(3, 4, (3, 2), stride=(2, 1), padding=(1, 0), bias=False, rng=1),
        (7, 3, 5, 6),
        transposed(2, stride=(2, 1), padding=(1, 0)),
    ),
    LayerCase(
        lambda: nn.MaxPool1d(3, stride=2, padding=1),
        (7, 4, 11),
        functional("max_pool1d", kernel_size=3, stride=2, padding=1),
    ),
    LayerCase(
        lambda: nn.MaxPool2d(2),
        (7, 3, 6, 5),
        functional("max_pool2d", kernel_size=2),
    ),
    LayerCase(
        lambda: nn.MaxPool2d((3, 2), stride=(2, 1), padding=1),
        (7, 3, 6, 5),
        functional("max_pool2d", kernel_size=(3, 2), stride=(2, 1), padding=1),
    ),
    LayerCase(
        lambda: nn.AvgPool1d(3, stride=2, padding=1),
        (7, 4, 11),
        functional("avg_pool1d", kernel_size=3, stride=2, padding=1),
    ),
    LayerCase(
        lambda: nn.AvgPool2d(2),
        (7, 3, 6, 5),
        functional("avg_pool2d", kernel_size=2),
    ),
    LayerCase(
        lambda: nn.AvgPool2d((3, 2), stride=(2, 1), padding=1),
        (7, 3, 6, 5),
        functional("avg_pool2d", kernel_size=(3, 2), stride=(2, 1), padding=1),
    ),
    LayerCase(
        nn.GlobalAvgPool,
        (7, 3, 6, 5),
        torch=lambda torch, p, x: x.mean((2, 3)),
    ),
    LayerCase(
        lambda: nn.Upsample((2, 3)),
        (7, 3, 5, 4),
        torch=lambda torch, p, x: x.repeat_interleave(2, 2).repeat_interleave(3, 3),
    ),
    LayerCase(
        lambda: nn.Conv1d(4, 6, 3, stride=2, padding="same", groups=2, rng=1),
        (7, 4, 9),
        correlation(1, ends=(1, 1), stride=2, groups=2),
    ),
    LayerCase(
        lambda: nn.Conv2d(3, 6, (3, 2), padding=(1, 0), groups=3, rng=1),
        (7, 3, 5, 6),
        correlation(2, ends=(0, 0, 1, 1), groups=3),
    ),
    LayerCase(  # depthwise
        lambda: nn.Conv2d(4, 4, (2, 3), stride=(2, 1), dilation=(1, 2), groups=4, rng=1),
        (7, 4, 5, 8),
        correlation(2, stride=(2, 1), dilation=(1, 2), groups=4),
    ),
    LayerCase(
        lambda: nn.ConvTranspose2d(
            3, 4, (3, 2), (2, 1), (1, 0), rng=1, output_padding=(1, 2), dilation=(1, 3)
        ),
        (7, 3, 5, 6),
        transposed(2, stride=(2, 1), padding=(1, 0), output_padding=(1, 2), dilation=(1, 3)),
    ),
    LayerCase(
        lambda: nn.MaxPool2d((3, 2), (2, 3), ceil_mode=True, dilation=(1, 2)),
        (7, 3, 6, 5),
        functional(
            "max_pool2d",
            kernel_size=(3, 2),
            stride=(2, 3),
            ceil_mode=True,
            dilation=(1, 2),
        ),
    ),
    LayerCase(
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
    ),
    LayerCase(lambda: nn.AvgPool1d(3, 2, "same", dilation=2), (7, 4, 11)),
    LayerCase(
        lambda: nn.AdaptiveAvgPool1d(3),
        (7, 4, 11),
        functional("adaptive_avg_pool1d", output_size=3),
    ),
    LayerCase(
        lambda: nn.AdaptiveAvgPool2d((4, 3)),
        (7, 3, 6, 5),
        functional("adaptive_avg_pool2d", output_size=(4, 3)),
    ),
    LayerCase(
        lambda: nn.AdaptiveMaxPool1d(3),
        (7, 4, 11),
        functional("adaptive_max_pool1d", output_size=3),
    ),
    LayerCase(
        lambda: nn.AdaptiveMaxPool2d((2, 3)),
        (7, 3, 6, 11),
        functional("adaptive_max_pool2d", output_size=(2, 3)),
    ),
    LayerCase(
        nn.GlobalMaxPool,
        (7, 3, 6, 5),
        lambda torch, p, x: torch.nn.functional.adaptive_max_pool2d(x, 1).flatten(1),
    ),
    LayerCase(
        lambda: nn.Pad(((1, 2), (3, 0))),
        (7, 3, 6, 5),
        functional("pad", pad=(3, 0, 1, 2)),
    ),
    LayerCase(lambda: nn.Pad(2, "reflect"), (7, 3, 6, 5)),
    LayerCase(lambda: nn.Pad(((1, 3),), "edge"), (7, 4, 6)),
    LayerCase(lambda: nn.Upsample(3, "linear"), (7, 3, 5, 4)),
]
