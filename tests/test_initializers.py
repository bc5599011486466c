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


def test_linear_uses_the_initializer_it_is_given():
    layer = nn.Linear(5, 3, rng=2, initializer=initializers.he_normal)
    np.testing.assert_array_equal(layer.params["W"], initializers.he_normal((3, 5), rng=2))
    np.testing.assert_array_equal(layer.params["b"], 0)
