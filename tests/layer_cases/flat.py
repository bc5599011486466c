"""Linear, Embedding, activations, Dropout, containers and a graph."""

import nnscratch as nn
from tests.graph_cases import network
from tests.layer_cases.case import LayerCase, functional


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


def scanned(torch, params, x):
    return linear(torch, params, x.unfold(1, 4, 2).transpose(2, 3).flatten(2))


def numbers(rng, shape):
    return rng.integers(0, 6, shape)


def others_than_two(rng, shape):
    return rng.choice([0, 1, 3, 4, 5], shape)


def embedding(padding=None):
    return lambda torch, p, x: torch.nn.functional.embedding(x, p["W"], padding)


CASES = [
    LayerCase(lambda: nn.Linear(5, 3, rng=1), torch=linear, single=True),
    LayerCase(lambda: nn.Linear(5, 3, bias=False, rng=1), torch=linear, single=True),
    LayerCase(lambda: nn.Bias(5), torch=lambda torch, p, x: x + p["b"], single=True),
    LayerCase(nn.Identity, torch=lambda torch, p, x: x * 1, single=True),
    LayerCase(nn.Sigmoid, torch=lambda torch, p, x: torch.sigmoid(x), single=True),
    LayerCase(nn.Tanh, torch=lambda torch, p, x: torch.tanh(x), single=True),
    LayerCase(nn.ReLU, torch=functional("relu"), single=True),
    LayerCase(
        lambda: nn.LeakyReLU(0.2),
        torch=functional("leaky_relu", negative_slope=0.2),
        single=True,
    ),
    LayerCase(
        lambda: nn.LeakyReLU(-1.5),
        torch=functional("leaky_relu", negative_slope=-1.5),
        single=True,
    ),
    LayerCase(lambda: nn.ELU(1.3), torch=functional("elu", alpha=1.3), single=True),
    LayerCase(nn.GELU, torch=functional("gelu"), single=True),
    LayerCase(nn.SiLU, torch=functional("silu"), single=True),
    LayerCase(nn.Softplus, torch=functional("softplus", threshold=1000), single=True),
    LayerCase(nn.HardSigmoid, torch=hard_sigmoid, single=True),
    LayerCase(nn.SELU, torch=functional("selu"), single=True),
    LayerCase(nn.Mish, torch=functional("mish"), single=True),
    LayerCase(nn.HardSwish, torch=functional("hardswish"), single=True),
    LayerCase(nn.GLU, (7, 6), functional("glu"), single=True),
    LayerCase(lambda: nn.GLU(1), (7, 4, 3, 5), functional("glu", dim=1)),
    LayerCase(nn.PReLU, torch=prelu, single=True),
    LayerCase(lambda: nn.PReLU(5), torch=prelu),
    LayerCase(lambda: nn.PReLU(3), (7, 3, 4, 5), prelu),
    LayerCase(nn.Softmax, torch=functional("softmax", dim=-1), single=True),
    LayerCase(lambda: nn.Softmax(axis=1), (7, 5, 3), functional("softmax", dim=1)),
    LayerCase(
        lambda: nn.Softmax(axis=0),
        torch=functional("softmax", dim=0),
        batch_axis=False,
        single=True,
    ),
    LayerCase(nn.LogSoftmax, torch=functional("log_softmax", dim=-1), single=True),
    LayerCase(
        lambda: nn.LogSoftmax(axis=1),
        (7, 5, 3),
        functional("log_softmax", dim=1),
    ),
    LayerCase(nn.Flatten, (7, 3, 5, 4), torch=lambda torch, p, x: x.flatten(1)),
    LayerCase(lambda: nn.Dropout(0.4, rng=3), batch_axis=False, single=True),
    LayerCase(
        lambda: nn.Dropout(0.4, rng=3).eval(),
        torch=lambda torch, p, x: x * 1,
        single=True,
    ),
    LayerCase(
        lambda: nn.Sequential(
            nn.Linear(5, 4, rng=1),
            nn.Tanh(),
            nn.Residual(nn.Sequential(nn.Linear(4, 4, rng=2), nn.Tanh())),
            nn.Linear(4, 3, bias=False, rng=3),
        ),
        torch=perceptron,
        single=True,
    ),
    LayerCase(nn.Sequential, torch=lambda torch, p, x: x * 1, single=True),
    LayerCase(
        lambda: nn.Residual(nn.Linear(5, 5, rng=1)),
        torch=lambda torch, p, x: x + linear(torch, p, x),
        single=True,
    ),
    LayerCase(lambda: nn.Embedding(6, 3, rng=1), (7, 4), embedding(), sample=numbers),
    LayerCase(
        lambda: nn.Embedding(6, 3, rng=1, padding_index=2),
        (7, 4),
        embedding(2),
        sample=others_than_two,
    ),
    LayerCase(
        lambda: nn.Scan(nn.Linear(12, 5, rng=1), window=4, stride=2),
        (7, 11, 3),
        scanned,
    ),
    LayerCase(
        lambda: nn.Scan(
            nn.Sequential(nn.Linear(12, 5, rng=1), nn.Tanh(), nn.Linear(5, 6, rng=2)),
            window=4,
        ),
        (7, 11, 3),
    ),
    LayerCase(lambda: network(dtype="f4"), (7, 3)),
]
