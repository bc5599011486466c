"""Recurrent layers: the loop and the layer, lengths, states, directions, and what is refused."""

import copy
import pickle
import tracemalloc

import numpy as np
import pytest

import nnscratch as nn
from tests import numeric, sequence_agreement

KINDS = ("RNN", "GRU", "LSTM")
PAIRS = [
    ("RNN", {}, {}),
    ("RNN", {"activation": "relu"}, {"activation": "relu"}),
    ("GRU", {}, {}),
    ("LSTM", {}, {}),
]
every_kind = pytest.mark.parametrize("kind", KINDS)


def x_of(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def double(layer, seed=11):
    rng = np.random.default_rng(seed)
    layer.astype("f8")
    for name, array in layer.params.items():
        layer.params[name] = rng.normal(size=array.shape)
    return layer


def make(kind, inputs=4, hidden=3, **options):
    return double(getattr(nn, kind)(inputs, hidden, **options))


def whole(layer, x, lengths=None, seed=5):
    """(y, dx, grads) of all outputs and inputs, each as a list of arrays."""
    inputs = x if isinstance(x, tuple) else (x,)
    y, cache = layer.forward_pass(*inputs, **({} if lengths is None else {"lengths": lengths}))
    ys = y if isinstance(y, tuple) else (y,)
    rng = np.random.default_rng(seed)
    dy = tuple(rng.normal(size=part.shape) for part in ys)
    dx, grads = layer.backprop(dy if isinstance(y, tuple) else dy[0], cache)
    return list(ys), list(dx) if isinstance(dx, tuple) else [dx], grads


# The loop and the layer ------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [None, [4, 6, 1, 5, 6]])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("kind", "options", "of_cell"), PAIRS)
def test_the_unrolled_cell_equals_the_layer_gradients_included(
    kind, options, of_cell, reverse, lengths
):
    layer = make(kind, return_state=True, reverse=reverse, **options)
    cell = getattr(nn, f"{kind}Cell")(4, 3, **of_cell).astype("f8")
    unrolled = nn.Unroll(cell, return_state=True, reverse=reverse)
    assert list(unrolled.params) == list(layer.params)
    unrolled.params.update(layer.params)
    inputs = x_of(5, 6, 4), x_of(5, layer.state_features, seed=1)
    for given in (inputs, inputs[0]):
        y, dx, grads = whole(layer, given, lengths)
        same_y, same_dx, same_grads = whole(unrolled, given, lengths)
        for found, expected in zip([*y, *dx], [*same_y, *same_dx], strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)
        for name, grad in grads.items():
            np.testing.assert_allclose(grad, same_grads[name], rtol=0, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", sequence_agreement.TOLERANCE)
@pytest.mark.parametrize("name", sequence_agreement.LAYERS)
def test_random_configurations_agree_with_torch(name, dtype):
    torch = pytest.importorskip("torch")
    found = sequence_agreement.worst(torch, name, dtype, count=12, seed=1)
    assert found <= sequence_agreement.TOLERANCE[dtype]


@pytest.mark.parametrize(("kind", "options", "of_cell"), PAIRS)
def test_states_and_lengths_pass_the_gradient_check(kind, options, of_cell):
    layer = make(kind, return_state=True, **options)
    inputs = x_of(3, 4, 4), x_of(3, layer.state_features, seed=1)
    y = layer.forward(*inputs)
    dy = [x_of(*part.shape, seed=2) for part in y]
    dx, grads = layer.backward(tuple(dy))

    def loss():
        return sum(float(np.sum(d * p)) for d, p in zip(dy, layer.forward(*inputs), strict=True))

    for found, x in zip(dx, inputs, strict=True):
        numeric.close(found, numeric.gradient(loss, x), 1e-7)
    for name, array in layer.params.items():
        numeric.close(grads[name], numeric.gradient(loss, array), 1e-7)


@every_kind
def test_the_checker_finds_no_mistake(kind):
    for layer in (
        getattr(nn, kind)(4, 3, rng=0),
        getattr(nn, kind)(4, 3, reverse=True, rng=0),
        nn.Unroll(getattr(nn, f"{kind}Cell")(4, 3, rng=0)),
        nn.Bidirectional(getattr(nn, kind)(4, 3, rng=0)),
    ):
        assert nn.check_gradients(layer, x_of(3, 5, 4)).ok
    cell = getattr(nn, f"{kind}Cell")(4, 3, rng=0)
    report = nn.check_gradients(cell, x_of(5, 4), x_of(5, cell.state_features, seed=1))
    assert report.ok and {"dx[0]", "dx[1]"} <= {finding.array for finding in report.findings}


# States ------------------------------------------------------------------------------------


@every_kind
def test_a_sequence_in_two_pieces_with_the_state_carried_over_is_the_whole(kind):
    layer = make(kind, return_state=True)
    x = x_of(5, 7, 4)
    y, state = layer.forward(x)
    first, between = layer.forward(x[:, :3])
    second, last = layer.forward(x[:, 3:], between)
    np.testing.assert_allclose(np.concatenate([first, second], 1), y, rtol=0, atol=1e-14)
    np.testing.assert_allclose(last, state, rtol=0, atol=1e-14)


@every_kind
def test_the_state_begins_with_h_which_is_the_last_y(kind):
    layer = make(kind, return_state=True)
    y, state = layer.forward(x_of(5, 7, 4))
    np.testing.assert_array_equal(state[:, :3], y[:, -1])
    assert state.shape == (5, layer.state_features)
    reverse = make(kind, return_state=True, reverse=True)
    y, state = reverse.forward(x_of(5, 7, 4))
    np.testing.assert_array_equal(state[:, :3], y[:, 0])


@every_kind
def test_reverse_is_the_layer_on_the_reversed_sequence(kind):
    layer, reverse = make(kind), make(kind, reverse=True)
    x = x_of(5, 7, 4)
    np.testing.assert_allclose(reverse.forward(x), layer.forward(x[:, ::-1])[:, ::-1], atol=1e-14)


@every_kind
def test_an_output_without_gradient_counts_as_zeros(kind):
    layer = make(kind, return_state=True)
    y, state = layer.forward(x_of(5, 6, 4))
    for dy in ((x_of(*y.shape), None), (None, x_of(*state.shape))):
        zeros = [
            np.zeros_like(a) if part is None else part
            for a, part in zip((y, state), dy, strict=True)
        ]
        for found, expected in zip(layer.backward(dy), layer.backward(tuple(zeros)), strict=True):
            if isinstance(found, dict):
                for name in found:
                    np.testing.assert_array_equal(found[name], expected[name])
            else:
                np.testing.assert_array_equal(found, expected)


# Lengths -----------------------------------------------------------------------------------


def several():
    for kind in KINDS:
        yield make(kind, return_state=True)
        yield make(kind, return_state=True, reverse=True)
    yield double(nn.Unroll(nn.GRUCell(4, 3), return_state=True, reverse=True))
    yield double(nn.Bidirectional(nn.LSTM(4, 3, return_state=True)))


@pytest.mark.parametrize("layer", list(several()), ids=repr)
def test_a_padded_batch_is_each_sequence_alone_and_padding_is_not_read(layer):
    lengths = [3, 6, 1, 4]
    x = x_of(4, 7, 4)
    padded = x.copy()
    for sample, length in enumerate(lengths):
        padded[sample, length:] = np.nan
    y, dx, grads = whole(layer, padded, lengths)
    assert y[0].shape[1] == 7
    total = dict.fromkeys(grads, 0)
    rng = np.random.default_rng(5)
    dy = [rng.normal(size=part.shape) for part in y]
    for i, length in enumerate(lengths):
        alone, cache = layer.forward_pass(x[i : i + 1, :length])
        np.testing.assert_allclose(y[0][i, :length], alone[0][0], rtol=0, atol=1e-13)
        np.testing.assert_allclose(y[1][i], alone[1][0], rtol=0, atol=1e-13)
        assert not y[0][i, length:].any() and not dx[0][i, length:].any()
        alone_dx, found = layer.backprop((dy[0][i : i + 1, :length], dy[1][i : i + 1]), cache)
        np.testing.assert_allclose(dx[0][i, :length], alone_dx[0], rtol=0, atol=1e-12)
        total = {name: total[name] + grad for name, grad in found.items()}
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, total[name], rtol=0, atol=1e-12)


def test_sequential_passes_lengths_to_the_layers_that_take_them():
    model = double(
        nn.Sequential(
            nn.Linear(5, 4, rng=0),
            nn.Sequential(nn.GRU(4, 3, rng=1), nn.Tanh()),
            nn.Residual(nn.LSTM(3, 3, rng=2)),
            nn.Bidirectional(nn.RNN(3, 2, rng=3)),
            nn.LastStep(),
            nn.Linear(4, 2, rng=4),
        )
    )
    x, lengths = x_of(3, 6, 5), [2, 6, 4]
    y = model.forward(x, lengths=lengths)
    np.testing.assert_array_equal(model(x, lengths=np.array(lengths)), y)
    for i, length in enumerate(lengths):
        np.testing.assert_allclose(model.forward(x[i : i + 1, :length])[0], y[i], atol=1e-13)
    dy = x_of(3, 2, seed=1)
    model.forward(x, lengths=lengths)
    dx, grads = model.backward(dy)

    def loss():
        return float(np.sum(dy * model.forward(x, lengths=lengths)))

    numeric.close(dx, numeric.gradient(loss, x), 1e-7)
    for name, array in model.params.items():
        numeric.close(grads[name], numeric.gradient(loss, array), 1e-7)


def test_lengths_that_would_be_lost_are_refused():
    x = x_of(3, 4, 5)
    with pytest.raises(ValueError, match="no layer that takes lengths"):
        nn.Sequential(nn.Linear(5, 4)).forward(x, lengths=[1, 2, 3])
    inside = nn.Input("x")
    hiding = nn.Graph([inside], nn.LSTM(5, 4)(inside))
    with pytest.raises(ValueError, match="does not pass lengths on to the layers inside it"):
        nn.Sequential(hiding, nn.LastStep()).forward(x, lengths=[1, 2, 3])
    with pytest.raises(ValueError, match="lengths= only with arrays"):
        nn.LSTM(5, 4)(inside, lengths=[1, 2, 3])


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1, 2], "expected lengths as 3 ints"),
        ([1.0, 2.0, 3.0], "expected lengths as 3 ints, one for each sequence, received float64"),
        ([1, 0, 3], "received 0 for sequence 1; leave empty sequences out"),
        ([1, 2, 5], "received 5 for sequence 2; pad x to the longest"),
    ],
)
def test_lengths_that_do_not_fit_are_refused(lengths, message):
    for layer in (nn.GRU(5, 2), nn.Unroll(nn.RNNCell(5, 2)), nn.LastStep()):
        with pytest.raises(ValueError, match=message):
            layer.forward(x_of(3, 4, 5), lengths=lengths)


# Both directions ---------------------------------------------------------------------------


def test_both_directions_are_two_layers_with_weights_of_their_own():
    layer = nn.Bidirectional(nn.LSTM(4, 3, rng=0))
    same = nn.Bidirectional(nn.LSTM(4, 3, rng=0))
    for name in layer.params:
        np.testing.assert_array_equal(layer.params[name], same.params[name])
    assert (layer.params["forward.W_h"] != layer.params["reverse.W_h"]).any()
    assert [path for path, _ in layer.walk()] == ["", "forward", "reverse"]
    x = x_of(5, 6, 4).astype("f4")
    forward, reverse = (inner.forward(x) for inner in layer.layers)
    np.testing.assert_array_equal(layer.forward(x), np.concatenate([forward, reverse], -1))


def test_what_cannot_be_both_directions_is_refused():
    with pytest.raises(ValueError, match="expected a recurrent layer, received Linear"):
        nn.Bidirectional(nn.Linear(3, 2))
    with pytest.raises(ValueError, match="leave out reverse=True"):
        nn.Bidirectional(nn.GRU(3, 2, reverse=True))


# Around ------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("batch", [0, 1])
@pytest.mark.parametrize("time", [0, 1])
def test_no_sample_and_no_step_are_no_special_cases(kind, batch, time):
    layer = make(kind, return_state=True)
    x, state = x_of(batch, time, 4), x_of(batch, layer.state_features)
    y, last = layer.forward(x, state)
    assert y.shape == (batch, time, 3)
    dx, grads = layer.backward((np.ones_like(y), np.ones_like(last)))
    assert dx[0].shape == x.shape and dx[1].shape == state.shape
    if time == 0:
        np.testing.assert_array_equal(last, state)
        np.testing.assert_array_equal(dx[1], np.ones_like(state))
    assert all(np.isfinite(grad).all() for grad in grads.values())


@every_kind
def test_frozen_weights_have_no_gradients_but_pass_them_on(kind):
    for layer in (make(kind), double(nn.Unroll(getattr(nn, f"{kind}Cell")(4, 3)))):
        x = x_of(5, 6, 4)
        _, dx, _ = whole(layer, x)
        layer.freeze()
        _, frozen_dx, grads = whole(layer, x)
        np.testing.assert_array_equal(frozen_dx[0], dx[0])
        assert grads == {}


@every_kind
def test_what_does_not_fit_says_what_would(kind):
    layer = getattr(nn, kind)(5, 2)
    with pytest.raises(ValueError, match=r"one sequence is a batch of one, x\[np.newaxis\]"):
        layer.forward(np.ones((4, 5)))
    with pytest.raises(ValueError, match=rf"make it {kind}\(7, 2\)"):
        layer.forward(np.ones((3, 4, 7)))
    with pytest.raises(ValueError, match=r"expected a state \(3, .*leave it out to begin"):
        layer.forward(np.ones((3, 4, 5)), np.ones((3, 9)))
    with pytest.raises(ValueError, match="sizes of at least 1"):
        getattr(nn, kind)(0, 2)
    with pytest.raises(ValueError, match="Unroll expected a cell"):
        nn.Unroll(layer.params)
    for cls in (nn.RNN, nn.RNNCell):
        with pytest.raises(ValueError, match='"tanh" or "relu", received \'sigmoid\''):
            cls(3, 2, activation="sigmoid")


def test_what_is_printed_builds_the_layer():
    for text in (
        "LSTM(3, 2)",
        "GRU(3, 2, return_state=True, reverse=True, bias=False)",
        "RNN(3, 2, activation='relu')",
        "RNNCell(3, 2, activation='relu')",
        "Unroll(LSTMCell(3, 2), reverse=True)",
        "Bidirectional(GRU(3, 2, return_state=True))",
        "LastStep()",
        "Attention(causal=True)",
        "MultiHeadAttention(6, 2, causal=True)",
        "PositionalEncoding(6)",
        "TransformerBlock(6, 2, 24, causal=True, dropout=0.1)",
    ):
        assert (
            repr(eval(f"nn.{text}".replace("(LSTM", "(nn.LSTM").replace("(GRU", "(nn.GRU"))) == text
        )


def test_gates_stand_in_torchs_order():
    lstm = nn.LSTM(1, 1)
    np.testing.assert_array_equal(lstm.params["b_x"], [0, 1, 0, 0])  # i f g o, the second open
    lstm.params["b_x"] = [99, -99, 99, 99]  # all in, nothing kept, all out
    np.testing.assert_allclose(lstm.forward(np.zeros((1, 2, 1))).ravel(), np.tanh(1))
    gru = nn.GRU(1, 1)
    gru.params["b_x"] = [0, -99, 99]  # z = 0: the new value alone, n = 1
    np.testing.assert_allclose(gru.forward(np.zeros((1, 2, 1))).ravel(), 1)
    gru.params["b_x"] = [-99, -99, 0]  # r = 0: v_n is not looked at
    gru.params["b_h"] = [0, 0, 99]
    np.testing.assert_allclose(gru.forward(np.zeros((1, 2, 1))).ravel(), 0, atol=1e-6)


def test_an_orthogonal_state_matrix_and_the_same_weights_from_the_same_seed():
    for kind, gates in zip(KINDS, (1, 3, 4), strict=True):
        layer = getattr(nn, kind)(3, 8, rng=4)
        for W in np.split(layer.params["W_h"], gates):
            np.testing.assert_allclose(W.T @ W, np.eye(8), atol=1e-6)
        again = getattr(nn, f"{kind}Cell")(3, 8, rng=4)
        for name in layer.params:
            np.testing.assert_array_equal(layer.params[name], again.params[name])


@every_kind
def test_memory_grows_with_time_once(kind):
    layer = getattr(nn, kind)(8, 16, rng=0)

    def peak(time):
        x, dy = np.ones((32, time, 8), np.float32), np.ones((32, time, 16), np.float32)
        tracemalloc.start()
        _, cache = layer.forward_pass(x)
        layer.backprop(dy, cache)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(4)
    small, large = peak(100), peak(200)
    assert large < 2.1 * small
    of_a_step = (large - small) / (100 * 32 * 4)  # numbers for a step of a sample
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    assert of_a_step < 16 * (3 * gates + 6) + 4 * 8


def test_copies_and_pickles_of_both_directions_go_on_alone():
    layer = nn.Bidirectional(nn.Unroll(nn.LSTMCell(4, 3, rng=0)))
    x = x_of(5, 6, 4)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_array_equal(twin.forward(x), layer.forward(x))
        twin.params["reverse.W_x"] += 1
        assert (twin.params["reverse.W_x"] != layer.params["reverse.W_x"]).all()
