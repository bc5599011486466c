"""Layers on sequences, (batch, time, features)."""

import nnscratch as nn
from tests.layer_cases.case import LayerCase

NAMES = {"W_x": "weight_ih_l0", "W_h": "weight_hh_l0", "b_x": "bias_ih_l0", "b_h": "bias_hh_l0"}


def torch_name(name):
    """That of torch's parameter, for one direction or `Bidirectional`."""
    direction, _, own = name.rpartition(".")
    return NAMES[own] + ("_reverse" if direction == "reverse" else "")


def recurrent(kind, hidden, **options):
    def call(torch, params, x):
        layer = getattr(torch.nn, kind)(x.shape[-1], hidden, batch_first=True, **options)
        weights = {torch_name(name): value for name, value in params.items()}
        return torch.func.functional_call(layer.to(x.dtype), weights, (x,))[0]

    return call


def cell(kind, hidden):
    def call(torch, params, x, state=None):
        layer = getattr(torch.nn, kind)(x.shape[-1], hidden)
        weights = {torch_name(name).removesuffix("_l0"): value for name, value in params.items()}
        y = torch.func.functional_call(layer.to(x.dtype), weights, (x, state))
        return torch.cat(y, -1) if isinstance(y, tuple) else y

    return call


def attention(torch, params, x, heads, causal=False):
    features = x.shape[-1]
    layer = torch.nn.MultiheadAttention(features, heads, batch_first=True).to(x.dtype)
    mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1) if causal else None
    options = {"attn_mask": mask, "need_weights": False}
    return torch.func.functional_call(layer, attention_weights(torch, params), (x, x, x), options)[
        0
    ]


def attention_weights(torch, params, prefix=""):
    """The parameters of a MultiHeadAttention under torch's names."""
    own = {name.removeprefix(prefix): value for name, value in params.items()}
    weights = {
        "in_proj_weight": torch.cat([own[f"W_{name}"] for name in "qkv"]),
        "out_proj.weight": own["W_o"],
    }
    if "b_q" in own:
        weights["in_proj_bias"] = torch.cat([own[f"b_{name}"] for name in "qkv"])
        weights["out_proj.bias"] = own["b_o"]
    return weights


def block(torch, params, x, heads, hidden, causal):
    layer = torch.nn.TransformerEncoderLayer(
        x.shape[-1], heads, hidden, 0.0, "gelu", batch_first=True, norm_first=True
    )
    inner = {n: v for n, v in params.items() if n.startswith("attention.")}
    weights = attention_weights(torch, inner, "attention.")
    weights = {f"self_attn.{name}": value for name, value in weights.items()}
    for ours, theirs in (("hidden", "linear1"), ("output", "linear2")):
        weights |= {
            f"{theirs}.weight": params[f"{ours}.W"],
            f"{theirs}.bias": params[f"{ours}.b"],
        }
    for norm in ("norm1", "norm2"):
        weights |= {
            f"{norm}.weight": params[f"{norm}.gamma"],
            f"{norm}.bias": params[f"{norm}.beta"],
        }
    mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1) if causal else None
    return torch.func.functional_call(layer.to(x.dtype), weights, (x,), {"src_mask": mask})


def waves(torch, params, x):
    time, features = x.shape[-2:]
    pair = torch.arange(features) // 2
    angle = torch.arange(time)[:, None] / 10000.0 ** (2 * pair.double() / features)
    return x + torch.where(torch.arange(features) % 2 == 0, angle.sin(), angle.cos()).to(x.dtype)


RECURRENT = [
    (lambda: nn.RNN(5, 3, rng=1), recurrent("RNN", 3)),
    (lambda: nn.RNN(5, 3, "relu", rng=1), recurrent("RNN", 3, nonlinearity="relu")),
    (lambda: nn.GRU(5, 3, rng=1), recurrent("GRU", 3)),
    (lambda: nn.LSTM(5, 3, rng=1), recurrent("LSTM", 3)),
    (lambda: nn.LSTM(5, 3, bias=False, rng=1), recurrent("LSTM", 3, bias=False)),
    (lambda: nn.LSTM(5, 5, reverse=True, rng=1), None),
    (lambda: nn.Unroll(nn.GRUCell(5, 3, rng=1)), recurrent("GRU", 3)),
    (
        lambda: nn.Bidirectional(nn.GRU(5, 3, rng=1)),
        recurrent("GRU", 3, bidirectional=True),
    ),
    (nn.LastStep, lambda torch, p, x: x[:, -1]),
    (lambda: nn.PositionalEncoding(5), waves),
]
OF_HEADS = [
    (
        lambda: nn.MultiHeadAttention(6, 3, rng=1),
        lambda torch, p, x: attention(torch, p, x, 3),
    ),
    (
        lambda: nn.MultiHeadAttention(6, 2, causal=True, rng=1),
        lambda torch, p, x: attention(torch, p, x, 2, causal=True),
    ),
    (
        lambda: nn.TransformerBlock(6, 2, 9, causal=True, rng=1),
        lambda torch, p, x: block(torch, p, x, 2, 9, causal=True),
    ),
]

CASES = [
    LayerCase(lambda: nn.RNNCell(5, 3, rng=1), torch=cell("RNNCell", 3), single=True),
    LayerCase(lambda: nn.GRUCell(5, 3, rng=1), torch=cell("GRUCell", 3), single=True),
    LayerCase(lambda: nn.LSTMCell(5, 3, rng=1), torch=cell("LSTMCell", 3), single=True),
    *[LayerCase(build, (7, 4, 5), torch) for build, torch in RECURRENT],
    # keys' biases do nothing, so that their gradient is what rounding leaves of a sum that cancels
    *[LayerCase(build, (7, 4, 6), torch, float32=1e-4) for build, torch in OF_HEADS],
    LayerCase(
        nn.Attention,
        [(7, 4, 6), (7, 5, 6), (7, 5, 3)],
        lambda torch, p, q, k, v: torch.nn.functional.scaled_dot_product_attention(q, k, v),
        batch_axis=False,
    ),
]
