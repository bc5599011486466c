"""One case per layer; every case runs through every test of test_layers.py.

Sizes are pairwise distinct and never 1 or 2 unless a test draws them; inputs keep away from
kinks. The operators of two inputs and their kin have a registry of their own in
test_operators.py, where broadcasting needs other checks.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import nnscratch as nn


def away_from_zero(rng, shape):
    """Normal numbers with none nearer to 0 than 0.1."""
    x = rng.normal(size=shape)
    return x + 0.1 * np.where(x < 0, -1, 1)


@dataclass(frozen=True)
class LayerCase:
    """How to build a layer, what to feed it, and what torch calls the same."""

    name: str
    build: Callable[[], nn.Layer]
    shape: tuple[int, ...] = (7, 5)  # of a batch
    torch: Callable[[Any, dict, Any], Any] | None = None  # (torch, params, x) -> y
    batch_axis: bool = True  # whether the first axis numbers samples
    single: bool = True  # whether one sample without batch axis is taken too
    float32: float = 1e-5  # how near to torch's float32; less where large terms cancel

    def input(self, rng, batch=None):
        shape = self.shape if batch is None else (batch, *self.shape[1:])
        return away_from_zero(rng, shape)


def functional(name, **options):
    def call(torch, params, x):
        return getattr(torch.nn.functional, name)(x, **options)

    return call


def hard_sigmoid(torch, params, x):
    return torch.nn.functional.relu6(x + 3) / 6  # its own takes 1/6 in float32


def prelu(torch, params, x):
    return torch.nn.functional.prelu(x, params["slope"])


def linear(torch, params, x):
    return torch.nn.functional.linear(x, params["W"], params.get("b"))


def perceptron(torch, params, x):
    hidden = torch.tanh(x @ params["0.W"].T + params["0.b"])
    hidden = hidden + torch.tanh(hidden @ params["2.0.W"].T + params["2.0.b"])
    return hidden @ params["3.W"].T


CASES = [
    LayerCase("Linear", lambda: nn.Linear(5, 3, rng=1), torch=linear),
    LayerCase("Linear", lambda: nn.Linear(5, 3, bias=False, rng=1), torch=linear),
    LayerCase("Bias", lambda: nn.Bias(5), torch=lambda torch, p, x: x + p["b"]),
    LayerCase("Identity", nn.Identity, torch=lambda torch, p, x: x * 1),
    LayerCase("Sigmoid", nn.Sigmoid, torch=lambda torch, p, x: torch.sigmoid(x)),
    LayerCase("Tanh", nn.Tanh, torch=lambda torch, p, x: torch.tanh(x)),
    LayerCase("ReLU", nn.ReLU, torch=functional("relu")),
    LayerCase(
        "LeakyReLU", lambda: nn.LeakyReLU(0.2), torch=functional("leaky_relu", negative_slope=0.2)
    ),
    LayerCase(
        "LeakyReLU", lambda: nn.LeakyReLU(-1.5), torch=functional("leaky_relu", negative_slope=-1.5)
    ),
    LayerCase("ELU", lambda: nn.ELU(1.3), torch=functional("elu", alpha=1.3)),
    LayerCase("GELU", nn.GELU, torch=functional("gelu")),
    LayerCase("SiLU", nn.SiLU, torch=functional("silu")),
    LayerCase("Softplus", nn.Softplus, torch=functional("softplus", threshold=1000)),
    LayerCase("HardSigmoid", nn.HardSigmoid, torch=hard_sigmoid),
    LayerCase("SELU", nn.SELU, torch=functional("selu")),
    LayerCase("Mish", nn.Mish, torch=functional("mish")),
    LayerCase("HardSwish", nn.HardSwish, torch=functional("hardswish")),
    LayerCase("GLU", nn.GLU, (7, 6), functional("glu")),
    LayerCase("GLU", lambda: nn.GLU(1), (7, 4, 3, 5), functional("glu", dim=1), single=False),
    LayerCase("PReLU", nn.PReLU, torch=prelu),
    LayerCase("PReLU", lambda: nn.PReLU(5), torch=prelu, single=False),
    LayerCase("PReLU", lambda: nn.PReLU(3), (7, 3, 4, 5), prelu, single=False),
    LayerCase("Softmax", nn.Softmax, torch=functional("softmax", dim=-1)),
    LayerCase(
        "Softmax", lambda: nn.Softmax(axis=1), (7, 5, 3), functional("softmax", dim=1), single=False
    ),
    LayerCase(
        "Softmax", lambda: nn.Softmax(axis=0), torch=functional("softmax", dim=0), batch_axis=False
    ),
    LayerCase("LogSoftmax", nn.LogSoftmax, torch=functional("log_softmax", dim=-1)),
    LayerCase(
        "LogSoftmax",
        lambda: nn.LogSoftmax(axis=1),
        (7, 5, 3),
        functional("log_softmax", dim=1),
        single=False,
    ),
    LayerCase(
        "Flatten", nn.Flatten, (7, 3, 5, 4), torch=lambda torch, p, x: x.flatten(1), single=False
    ),
    LayerCase("Dropout", lambda: nn.Dropout(0.4, rng=3), batch_axis=False),
    LayerCase("Dropout", lambda: nn.Dropout(0.4, rng=3).eval(), torch=lambda torch, p, x: x * 1),
    LayerCase(
        "Sequential",
        lambda: nn.Sequential(
            nn.Linear(5, 4, rng=1),
            nn.Tanh(),
            nn.Residual(nn.Sequential(nn.Linear(4, 4, rng=2), nn.Tanh())),
            nn.Linear(4, 3, bias=False, rng=3),
        ),
        torch=perceptron,
    ),
    LayerCase("Sequential", nn.Sequential, torch=lambda torch, p, x: x * 1),
    LayerCase(
        "Residual",
        lambda: nn.Residual(nn.Linear(5, 5, rng=1)),
        torch=lambda torch, p, x: x + linear(torch, p, x),
    ),
]
