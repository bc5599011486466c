"""Layers that normalize."""

import numpy as np

import nnscratch as nn
from tests.layer_cases.case import LayerCase


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


def fitted(layer, shape):
    """Normalize with a mean and a spread for each feature that no other has."""
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.5, 3, shape)
    return layer.fit(rng.normal(size=shape) * scale + rng.normal(size=shape))


CASES = [
    LayerCase(lambda: fitted(nn.Normalize(3), (40, 3, 4)), (7, 3, 4, 5)),
    LayerCase(lambda: fitted(nn.Normalize(5, axis=-1), (40, 5)), (7, 3, 5)),
    LayerCase(lambda: nn.BatchNorm(3), (7, 3), batch_axis=False),
    LayerCase(
        lambda: nn.BatchNorm(3, momentum=None),
        (7, 3, 4, 5),
        batch_norm(True),
        batch_axis=False,
    ),
    LayerCase(
        lambda: nn.BatchNorm(3).eval(),
        (7, 3, 4, 5),
        batch_norm(False),
    ),
    LayerCase(
        lambda: nn.LayerNorm((4, 5)),
        (7, 3, 4, 5),
        normalized("layer_norm", (4, 5)),
    ),
    LayerCase(
        lambda: nn.GroupNorm(3, 6),
        (7, 6, 4, 5),
        normalized("group_norm", 3),
    ),
    LayerCase(
        lambda: nn.InstanceNorm(3),
        (7, 3, 4, 5),
        normalized("group_norm", 3),  # torch's instance_norm takes no empty batch
        single=False,
    ),
    LayerCase(
        lambda: nn.RMSNorm(5),
        (7, 3, 5),
        lambda torch, p, x: torch.nn.functional.rms_norm(x, (5,), p["gamma"], 1e-5),
    ),
    LayerCase(
        lambda: nn.BatchNorm(3, affine=False),
        (7, 3, 4),
        batch_axis=False,
    ),
]
