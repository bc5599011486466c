"""Random sequences and settings, against torch: python -m tests.sequence_agreement [COUNT]

For every layer so many configurations in float64 and in float32: sizes, padded batches (torch's
packed sequences), first states, directions, biases, causal and cross attention, and which of the
outputs a gradient comes to. Printed is the greatest difference of any output, of dx and of any
parameter's gradient, relative to the largest element of its array where that is above 1.
"""

import sys

import numpy as np

import nnscratch as nn
from tests.layer_cases.sequences import attention_weights, block, cell, torch_name, waves

TOLERANCE = {"float64": 1e-10, "float32": 1e-4}


def normal(rng, dtype, *shape):
    return rng.normal(size=shape).astype(dtype)


def with_weights(layer, rng, dtype):
    """The layer in a dtype, with weights that no initializer made."""
    layer.astype(dtype)
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(size=array.shape) / 2
    return layer


def difference(torch, rng, layer, inputs, function, options=None):
    """The greatest difference between a layer and `function(params, *inputs)` of tensors.

    Both may return several outputs; a gradient then comes to all or to some of them.
    """
    params = {n: torch.tensor(np.array(a), requires_grad=True) for n, a in layer.params.items()}
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    y, cache = layer.forward_pass(*inputs, **(options or {}))
    expected = function(params, *tensors)
    several = isinstance(y, tuple)
    ys, expected = (y, expected) if several else ((y,), (expected,))
    used = rng.permutation(len(ys))[: rng.integers(1, len(ys) + 1)]
    dy = [normal(rng, a.dtype, *a.shape) if i in used else None for i, a in enumerate(ys)]
    dx, grads = layer.backprop(tuple(dy) if several else dy[0], cache)
    # torch leaves out what does not reach the outputs: an empty gradient, which is 0
    wanted = torch.autograd.grad(
        [expected[i] for i in used],
        [*tensors, *params.values()],
        [torch.tensor(dy[i]) for i in used],
        allow_unused=True,
        materialize_grads=True,
    )
    found = [*ys, *(dx if isinstance(dx, tuple) else (dx,)), *(grads[name] for name in params)]
    worst = 0.0
    for ours, theirs in zip(found, [*expected, *wanted], strict=True):
        theirs = theirs.detach().numpy()
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        scale = max(1.0, np.abs(theirs).max(initial=0))
        worst = max(worst, float(np.abs(ours - theirs).max(initial=0)) / scale)
    return worst


def recurrent(kind, wrapped=None):
    """Configurations of a recurrent layer, or of what `wrapped` makes of its sizes and options."""

    def draw(torch, rng, dtype):
        inputs, hidden, batch = (int(n) for n in rng.integers(1, 7, 3))
        time = int(rng.integers(1, 9))
        bias, packed, given, reverse = (bool(n) for n in rng.integers(2, size=4))
        more = {"activation": str(rng.choice(["tanh", "relu"]))} if kind == "RNN" else {}
        if wrapped is None:
            options = {"return_state": True, "reverse": reverse}
            layer = getattr(nn, kind)(inputs, hidden, bias=bias, **options, **more)
        else:
            layer, reverse = wrapped(inputs, hidden, bias, reverse, more)
        with_weights(layer, rng, dtype)
        both = isinstance(layer, nn.Bidirectional)
        theirs = {"nonlinearity": more["activation"]} if more else {}
        other = getattr(torch.nn, kind)(
            inputs, hidden, bias=bias, batch_first=True, bidirectional=both or reverse, **theirs
        )
        x = normal(rng, dtype, batch, time, inputs)
        states = (2 if kind == "LSTM" else 1) * (2 if both else 1) * hidden
        arrays = (x, normal(rng, dtype, batch, states)) if given else (x,)
        lengths = rng.integers(1, time + 1, batch) if packed else None

        def function(params, x, state=None):
            names = {n: torch_name(n) + ("_reverse" if reverse else "") for n in params}
            weights = {names[name]: tensor for name, tensor in params.items()}
            first = first_state(torch, state, kind, both, reverse, hidden)
            call = (packed_sequence(torch, x, lengths), first)
            y, last = torch.func.functional_call(other.to(x.dtype), weights, call)
            if lengths is not None:
                y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, True, total_length=time)
            last = last if kind == "LSTM" else (last,)
            which = [0, 1] if both else [1 if reverse else 0]
            last = torch.cat([part[i] for i in which for part in last], -1)
            return (y[..., hidden:] if reverse else y), last

        return difference(torch, rng, layer, arrays, function, {"lengths": lengths})

    return draw


def packed_sequence(torch, x, lengths):
    if lengths is None:
        return x
    lengths = torch.tensor(lengths)
    return torch.nn.utils.rnn.pack_padded_sequence(x, lengths, True, enforce_sorted=False)


def first_state(torch, state, kind, both, reverse, hidden):
    """torch's: (directions, batch, hidden), for LSTM two of them."""
    if state is None:
        return None
    blocks = list(state.split(hidden, -1))
    parts = 2 if kind == "LSTM" else 1
    found = [torch.stack(blocks[i::parts]) for i in range(parts)]
    if reverse and not both:
        found = [torch.cat([torch.zeros_like(part), part]) for part in found]
    return tuple(found) if kind == "LSTM" else found[0]


def unrolled(kind):
    def build(inputs, hidden, bias, reverse, more):
        cell_ = getattr(nn, f"{kind}Cell")(inputs, hidden, bias=bias, **more)
        return nn.Unroll(cell_, return_state=True, reverse=reverse), reverse

    return recurrent(kind, build)


def bidirectional(kind):
    def build(inputs, hidden, bias, reverse, more):
        layer = getattr(nn, kind)(inputs, hidden, bias=bias, return_state=True, **more)
        return nn.Bidirectional(layer), False

    return recurrent(kind, build)


def one_step(kind):
    def draw(torch, rng, dtype):
        inputs, hidden, batch = (int(n) for n in rng.integers(1, 7, 3))
        layer = with_weights(getattr(nn, f"{kind}Cell")(inputs, hidden), rng, dtype)
        arrays = [normal(rng, dtype, batch, inputs)]
        if rng.integers(2):
            arrays.append(normal(rng, dtype, batch, layer.state_features))

        def function(params, x, state=None):
            first = None if state is None else state.split(hidden, -1)
            first = first if kind == "LSTM" or first is None else first[0]
            return cell(f"{kind}Cell", hidden)(torch, params, x, first)

        return difference(torch, rng, layer, arrays, function)

    return draw


def attention(torch, rng, dtype):
    batch, heads, time, steps, d, values = (int(n) for n in rng.integers(1, 7, 6))
    causal = bool(rng.integers(2))
    steps = time if causal else steps
    axes = (batch, heads) if rng.integers(2) else (batch,)
    shapes = [(*axes, time, d), (*axes, steps, d), (*axes, steps, values)]
    arrays = [normal(rng, dtype, *shape) for shape in shapes]

    def function(params, q, k, v):
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    return difference(torch, rng, nn.Attention(causal), arrays, function)


def multi_head(torch, rng, dtype):
    batch, heads, time, steps, each = (int(n) for n in rng.integers(1, 6, 5))
    causal, cross, bias = (bool(n) for n in rng.integers(2, size=3))
    steps, features = time if causal else steps, heads * each
    layer = nn.MultiHeadAttention(features, heads, causal=causal, bias=bias)
    layer = with_weights(layer, rng, dtype)
    arrays = [normal(rng, dtype, batch, time, features)]
    if cross:
        arrays += [normal(rng, dtype, batch, steps, features) for _ in range(2)]
    other = torch.nn.MultiheadAttention(features, heads, bias=bias, batch_first=True)
    mask = torch.triu(torch.ones(time, time, dtype=torch.bool), 1) if causal else None

    def function(params, *x):
        options = {"attn_mask": mask, "need_weights": False}
        weights = attention_weights(torch, params)
        call = x if len(x) == 3 else x * 3
        return torch.func.functional_call(other.to(x[0].dtype), weights, call, options)[0]

    return difference(torch, rng, layer, arrays, function)


def transformer(torch, rng, dtype):
    batch, heads, time, each, hidden = (int(n) for n in rng.integers(1, 6, 5))
    features, causal = heads * each + heads * (each == 1), bool(rng.integers(2))
    layer = with_weights(nn.TransformerBlock(features, heads, hidden, causal), rng, dtype)
    x = normal(rng, dtype, batch, time, features)

    def function(params, x):
        return block(torch, params, x, heads, hidden, causal)

    return difference(torch, rng, layer, [x], function)


def positions(torch, rng, dtype):
    batch, time, features = (int(n) for n in rng.integers(1, 9, 3))
    x = normal(rng, dtype, batch, time, features)
    layer = nn.PositionalEncoding(features)
    return difference(torch, rng, layer, [x], lambda params, x: waves(torch, params, x))


LAYERS = {
    **{f"{kind}Cell": one_step(kind) for kind in ("RNN", "GRU", "LSTM")},
    **{kind: recurrent(kind) for kind in ("RNN", "GRU", "LSTM")},
    **{f"Unroll({kind}Cell)": unrolled(kind) for kind in ("RNN", "GRU", "LSTM")},
    **{f"Bidirectional({kind})": bidirectional(kind) for kind in ("RNN", "GRU", "LSTM")},
    "Attention": attention,
    "MultiHeadAttention": multi_head,
    "TransformerBlock": transformer,
    "PositionalEncoding": positions,
}


def worst(torch, name, dtype, count, seed=0):
    """The greatest difference in so many configurations of a layer."""
    rngs = np.random.default_rng([seed, *name.encode()]).spawn(count)
    return max(LAYERS[name](torch, rng, dtype) for rng in rngs)


def main(count=300):
    import torch

    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {count} random configurations of each; greatest differences")
    for name in LAYERS:
        found = {dtype: worst(torch, name, dtype, count) for dtype in TOLERANCE}
        line = "".join(f"  {dtype} {value:.1e}" for dtype, value in found.items())
        missed = [dtype for dtype, value in found.items() if not value <= TOLERANCE[dtype]]
        print(f"{name:22}{line}  {'MISSED' if missed else 'agrees'}", flush=True)


if __name__ == "__main__":
    main(*(int(count) for count in sys.argv[1:2]))
