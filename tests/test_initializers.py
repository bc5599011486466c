"""Initializers: the spread that each scheme promises."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch import initializers

SHAPE = (300, 50, 3, 2)  # out, in, kernel: fan_in 300, fan_out 1800
VARIANCES = {
    "glorot_uniform": 2 / 2100,
    "glorot_normal": 2 / 2100,
    "he_uniform": 2 / 300,
    "he_normal": 2 / 300,
    "lecun_uniform": 1 / 300,
    "lecun_normal": 1 / 300,
}


@pytest.mark.parametrize("name", VARIANCES)
def test_the_variance_is_the_schemes(name):
    W = getattr(initializers, name)(SHAPE, rng=0, dtype=np.float64)
    assert W.shape == SHAPE
    assert W.mean() == pytest.approx(0, abs=4 * np.sqrt(VARIANCES[name] / W.size))
    assert W.var() == pytest.approx(VARIANCES[name], rel=0.02)
    limit = np.sqrt(3 * VARIANCES[name])
    assert (np.abs(W).max() <= limit) == name.endswith("uniform")


@pytest.mark.parametrize("name", [*VARIANCES, "zeros"])
def test_seed_and_dtype_decide(name):
    make = getattr(initializers, name)
    np.testing.assert_array_equal(make((3, 4), rng=5), make((3, 4), rng=5), strict=True)
    assert make((3, 4), rng=5).dtype == np.float32
    assert make((3, 4), rng=5, dtype="f8").dtype == np.float64
    if name != "zeros":
        assert not np.array_equal(make((3, 4), rng=5), make((3, 4), rng=6))


def test_weights_need_two_axes():
    with pytest.raises(ValueError, match=r"\(out, in, \*kernel\), received \(3,\)"):
        initializers.he_normal((3,))


def test_signals_keep_their_size_through_twenty_layers_with_the_default_of_the_activation():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 128))
    for activation, lowest in ((nn.ReLU, 0.3), (nn.Tanh, 0.1)):
        y = nn.mlp([128] * 21, activation=activation, rng=0).forward(x)
        assert lowest < y.std() < 3


@pytest.mark.parametrize("activation", [nn.Sigmoid, nn.HardSigmoid, nn.Softplus])
def test_gradients_keep_their_size_through_ten_layers_of_values_around_another_mean_than_0(
    activation,
):
    x = np.random.default_rng(0).normal(size=(200, 64))
    model = nn.mlp([64] * 11 + [10], activation, rng=0)
    y = model.forward(x)
    _, grads = model.backward(np.random.default_rng(1).normal(size=y.shape))
    first, last = (np.linalg.norm(grads[f"{place}.W"]) for place in (1, 19))
    assert 0.1 < first / last < 10


def test_centered_weights_of_a_unit_sum_to_0_and_have_the_same_variance():
    for shape in (SHAPE, (4000, 2), (300, 7)):
        W = initializers.centered(initializers.he_normal)(shape, rng=0, dtype=np.float64)
        fan_in = initializers.fans(shape)[0]
        np.testing.assert_allclose(W.reshape(len(W), -1).sum(axis=1), 0, atol=1e-12)
        assert W.var() == pytest.approx(2 / fan_in, rel=0.05)
    single = initializers.centered(initializers.he_normal)((3, 1), rng=0)
    np.testing.assert_array_equal(single, initializers.he_normal((3, 1), rng=0))


def test_the_first_weights_of_a_net_are_not_centered_since_its_inputs_are_data():
    W = nn.mlp([2, 50, 50, 3], nn.Sigmoid, rng=0).params
    assert abs(W["1.W"].sum(axis=1)).max() > 0.1
    assert abs(W["3.W"].sum(axis=1)).max() < 1e-4
    assert abs(W["5.W"].sum(axis=1)).max() < 1e-4


def test_a_gain_is_positive():
    for gain in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match="glorot expected a positive gain"):
            initializers.glorot(gain)


def test_linear_uses_the_initializer_it_is_given():
    layer = nn.Linear(5, 3, rng=2, initializer=initializers.he_normal)
    np.testing.assert_array_equal(layer.params["W"], initializers.he_normal((3, 5), rng=2))
    np.testing.assert_array_equal(layer.params["b"], 0)
