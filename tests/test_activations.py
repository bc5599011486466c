"""The activations with a choice: slopes, gates and corners."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.layers.activations.normal import Q
from tests.against_torch import agrees

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@pytest.mark.torch
def test_prelu_agrees_with_torch_for_any_shape_and_count():
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(shape=SHAPES, batch=st.integers(0, 4), several=st.booleans(), seed=st.integers(0, 999))
    def check(shape, batch, several, seed):
        x = np.random.default_rng(seed).normal(size=(batch, *shape))
        layer = nn.PReLU(shape[0] if several else 1)
        prelu = torch.nn.functional.prelu
        agrees(torch, layer, lambda p, x: prelu(x, p["slope"]), x, seed=seed)

    check()


@pytest.mark.torch
def test_glu_agrees_with_torch_on_any_axis():
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None, derandomize=True)
    @given(shape=SHAPES, axis=st.integers(-4, 3), seed=st.integers(0, 999))
    def check(shape, axis, seed):
        axis = axis % len(shape) - (len(shape) if axis < 0 else 0)
        shape[axis] *= 2
        x = np.random.default_rng(seed).normal(size=shape)
        agrees(torch, nn.GLU(axis), lambda p, x: torch.nn.functional.glu(x, axis), x, seed=seed)

    check()


@pytest.mark.torch
@pytest.mark.parametrize("name", ["HardSigmoid", "HardSwish", "Mish", "SELU"])
def test_far_out_and_at_corners_the_slopes_are_those_of_torch(name):
    torch = pytest.importorskip("torch")
    x = np.array([-1000.0, -3.5, -3, -2.9, -0.1, 0, 0.1, 2.9, 3, 3.5, 25, 1000], "f4")
    layer = getattr(nn, name)()
    y = layer.forward(x)
    tensor = torch.tensor(x, requires_grad=True)
    expected = getattr(torch.nn.functional, name.lower())(tensor)
    expected.backward(torch.ones(len(x)))
    np.testing.assert_allclose(y, expected.detach().numpy(), 1e-5, 1e-6)
    np.testing.assert_allclose(layer.backward(np.ones(len(x)))[0], tensor.grad.numpy(), 1e-5, 1e-6)


def test_selu_keeps_mean_and_variance_through_fifty_layers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 200)).astype("f4")
    for _ in range(50):
        linear = nn.Linear(200, 200, initializer=nn.initializers.for_activation(nn.SELU), rng=rng)
        x = nn.SELU().forward(linear.forward(x))
    assert abs(x.mean()) < 0.2
    assert 0.5 < x.var() < 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.PReLU(0), "PReLU expected a count of at least 1, received 0"),
        (lambda: nn.PReLU(3).forward(np.ones((2, 4))), r"\(batch, 3, \.\.\.\).*make it PReLU\(co"),
        (lambda: nn.PReLU(3).forward(np.ones(3)), r"x\[np.newaxis\]"),
        (lambda: nn.GLU().forward(np.ones((2, 3))), r"GLU\(\) expected an axis -1 of even size"),
        (lambda: nn.GLU(2).forward(np.ones((2, 4))), r"GLU\(axis=2\) expected an axis 2"),
    ],
)
def test_misuse_names_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_printed_builds_the_activation_again():
    for text in ("PReLU()", "PReLU(count=5)", "GLU()", "GLU(axis=1)", "SELU()", "HardSwish()"):
        assert repr(eval(text, vars(nn))) == text


def test_fit_of_the_normal_distribution_is_as_exact_as_it_says():
    from scipy.special import ndtr

    x = np.linspace(0, 12, 5001)
    t = 1 / (1 + x / 4)
    fitted = np.exp(-x * x / 2) * t * np.polynomial.Polynomial(Q.astype("f8"))(t)
    np.testing.assert_allclose(fitted, ndtr(-x), rtol=5e-8)


def test_gelu_in_float32_is_as_exact_as_its_numbers():
    x = np.concatenate([np.linspace(-14, 14, 30001), [0.0, -0.0, 1e-30, 300.0, -300.0, np.inf]])
    single, double = x.astype("f4"), x.astype("f4").astype("f8")
    layer, exact = nn.GELU(), nn.GELU()
    y, expected = layer.forward(single), exact.forward(double)
    assert y.dtype == np.float32
    finite = np.isfinite(expected)
    np.testing.assert_allclose(y[finite], expected[finite], rtol=1.5e-7, atol=1e-7)
    np.testing.assert_array_equal(y[~finite], expected[~finite])
    dy = np.ones_like(single[finite])
    layer.forward(single[finite]), exact.forward(double[finite])
    dx, expected = layer.backward(dy)[0], exact.backward(dy)[0]
    np.testing.assert_allclose(dx, expected, rtol=1e-6, atol=4e-7)
