"""Linear, Bias, Flatten, Dropout and the activations: values by hand, extremes, refusals."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric


def test_linear_on_one_sample_is_the_formula_to_the_letter():
    layer = nn.Linear(4, 3, rng=0).astype("f8")
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=4), rng.normal(size=3)
    W, b = layer.params["W"], layer.params["b"]
    np.testing.assert_allclose(layer.forward(x), W @ x + b)
    dx, grads = layer.backward(dy)
    np.testing.assert_allclose(dx, W.T @ dy)
    np.testing.assert_array_equal(grads["W"], np.outer(dy, x))
    np.testing.assert_array_equal(grads["b"], dy)


@pytest.mark.parametrize(
    ("size", "shape", "message"),
    [
        (
            (784, 100),
            (32, 28, 28),
            r"\(784,\) or \(batch, 784\), received \(32, 28, 28\); put Flatten\(\) before it$",
        ),
        ((100, 10), (32, 28, 28), r"put Flatten\(\) before it and make it Linear\(784, 10\)"),
        ((100, 10), (32, 64), r"received \(32, 64\); make it Linear\(64, 10\)"),
        ((100, 10), (100, 32), "or transpose x"),
        ((100, 10), (), r"received \(\)"),
    ],
)
def test_linear_says_what_would_fit(size, shape, message):
    with pytest.raises(ValueError, match=message):
        nn.Linear(*size).forward(np.zeros(shape))


@pytest.mark.parametrize(
    "wrong", [lambda: nn.Linear(0, 3), lambda: nn.Linear(3, -1), lambda: nn.Bias(0)]
)
def test_sizes_are_positive(wrong):
    with pytest.raises(ValueError, match="at least 1"):
        wrong()


@pytest.mark.parametrize("wrong", [np.array(["a"]), np.array([1j]), np.array([None])])
def test_what_is_no_real_number_is_refused(wrong):
    with pytest.raises(ValueError, match="expected real numbers"):
        nn.ReLU().forward(wrong)


def test_relu_passes_nothing_at_zero():
    layer = nn.ReLU()
    layer.forward(np.array([-1.0, 0.0, 1.0]))
    np.testing.assert_array_equal(layer.backward(np.ones(3))[0], [0, 0, 1])


@pytest.mark.parametrize("layer", [nn.LeakyReLU(0.2), nn.ELU(0.2)], ids=repr)
def test_at_zero_the_slope_is_that_of_the_left_side(layer):
    layer.forward(np.array([0.0, 1.0]))
    np.testing.assert_array_equal(layer.backward(np.array([3.0, 3.0]))[0], [3 * 0.2, 3])


@pytest.mark.torch
@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 9), min_size=2, max_size=5),
    batch=st.integers(0, 9),
    bias=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_perceptrons_of_any_sizes_agree_with_torch(sizes, batch, bias, seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    linears = [nn.Linear(*pair, bias=bias, rng=rng) for pair in itertools.pairwise(sizes)]
    model = nn.Sequential(
        *itertools.chain(*zip(linears, (nn.Tanh() for _ in linears), strict=True))
    )
    model.astype("f8")
    for array in model.params.values():
        array[...] = rng.normal(size=array.shape)
    x = rng.normal(size=(batch, sizes[0]))
    y = model.forward(x)
    dy = rng.normal(size=y.shape)
    dx, grads = model.backward(dy)
    tensors = {k: torch.tensor(np.array(v), requires_grad=True) for k, v in model.params.items()}
    tx = ty = torch.tensor(x, requires_grad=True)
    for i in range(0, len(model), 2):
        ty = torch.tanh(torch.nn.functional.linear(ty, tensors[f"{i}.W"], tensors.get(f"{i}.b")))
    ty.backward(torch.tensor(dy))
    numeric.close(y, ty.detach().numpy(), 1e-10)
    numeric.close(dx, tx.grad.numpy(), 1e-10)
    for name, tensor in tensors.items():
        numeric.close(grads[name], tensor.grad.numpy(), 1e-10)


@pytest.mark.parametrize(
    "layer",
    [kind() for kind in (nn.Softmax, nn.LogSoftmax, nn.Sigmoid, nn.Softplus, nn.ELU, nn.SELU)]
    + [kind() for kind in (nn.SiLU, nn.GELU, nn.Mish, nn.HardSwish, nn.HardSigmoid)],
    ids=repr,
)
def test_large_inputs_stay_finite_in_float32(layer):
    x = np.array([[-1000, 0, 1000]], np.float32)
    y = layer.forward(x)
    dx, _ = layer.backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


def test_nan_is_not_hidden():
    x = np.array([np.nan, 1.0])
    for activation in (
        nn.ReLU,
        nn.LeakyReLU,
        nn.ELU,
        nn.Sigmoid,
        nn.Tanh,
        nn.GELU,
        nn.SiLU,
        nn.Softplus,
        nn.HardSigmoid,
        nn.HardSwish,
        nn.Mish,
        nn.SELU,
        nn.PReLU,
    ):
        assert np.isnan(activation().forward(x)[0])


def test_softmax_refuses_an_axis_that_is_not_there():
    with pytest.raises(ValueError, match=r"Softmax\(axis=2\) expected an array with an axis 2"):
        nn.Softmax(axis=2).forward(np.zeros((3, 4)))


def test_flatten_asks_for_a_batch():
    with pytest.raises(ValueError, match="batch of one"):
        nn.Flatten().forward(np.zeros(4))


def test_dropout_drops_its_share_and_keeps_the_mean():
    layer = nn.Dropout(0.3, rng=0)
    y = layer.forward(np.ones((200, 500)))
    assert np.mean(y == 0) == pytest.approx(0.3, abs=0.01)
    assert set(np.unique(y)) == {0.0, 1 / 0.7}
    np.testing.assert_array_equal(layer.backward(np.ones_like(y))[0], y)


def test_dropout_follows_its_seed_and_rests_in_evaluation():
    x = np.ones((50, 40))
    first = nn.Dropout(0.5, rng=7).forward(x)
    np.testing.assert_array_equal(first, nn.Dropout(0.5, rng=7).forward(x))
    assert not np.array_equal(first, nn.Dropout(0.5, rng=8).forward(x))
    np.testing.assert_array_equal(nn.Dropout(0.5).eval().forward(x), x)
    np.testing.assert_array_equal(nn.Dropout(0.0).forward(x), x)
    np.testing.assert_array_equal(nn.Dropout(1.0).forward(x), 0 * x)
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match=r"p in \[0, 1\]"):
            nn.Dropout(wrong)
