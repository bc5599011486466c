"""No right layer is accused: near kinks, at ties, in coarse arithmetic, at any scale."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X, codes, layer, numbers, verdicts


@pytest.mark.parametrize("distance", [1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14, 0.0])
@pytest.mark.parametrize(
    ("build", "kink"),
    [
        (nn.ReLU, 0.0),
        (lambda: nn.LeakyReLU(0.2), 0.0),
        (nn.SiLU, 0.0),
        (lambda: layer(lambda x: (np.abs(x - 0.3), x), lambda dy, x: dy * np.sign(x - 0.3)), 0.3),
        (lambda: layer(lambda x: (np.clip(x, -1, 1), x), lambda dy, x: dy * (abs(x) < 1)), 1.0),
    ],
    ids=["relu", "leaky", "silu", "abs", "clip"],
)
def test_a_right_layer_is_not_accused_near_a_kink(build, kink, distance):
    x = X.copy()
    x[0], x[1, 2], x[3] = kink + distance, kink - distance, kink
    assert check_gradients(build(), x).ok


@pytest.mark.parametrize("distance", [1e-4, 1e-7, 1e-10])
def test_a_wrong_slope_beside_a_kink_fails(distance):
    x = X.copy()
    x[2, 3] = distance  # the only element that shows it
    wrong = layer(lambda x: (np.maximum(x, 0), x), lambda dy, x: dy * (x > 2 * distance))
    assert codes(wrong, x)


@pytest.mark.parametrize("gap", [0.0, 1e-13, 1e-9, 1e-7, 1e-4])
def test_maxima_that_tie_or_nearly_tie_are_no_mistake(gap):
    z = np.random.default_rng(0).normal(size=(2, 3, 4, 4))
    z[0, 0, 0, :2] = 3, 3 - gap
    z[1, :, 2:, 2:] = 0.5
    assert check_gradients(nn.MaxPool2d(2), z).ok
    assert check_gradients(nn.MaxPool2d(3, 1), z).ok  # an element in several windows


def test_images_full_of_zeros_are_no_mistake_of_a_net():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 1, 6, 6)) * (rng.random((3, 1, 6, 6)) > 0.6)
    x[0, :, :3] = 0
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=0), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 4, rng=1)
    )
    assert check_gradients(net, x).ok
    x[1] = 0  # every unit of it at its kink, as biases are 0
    assert check_gradients(net, x).ok


def test_numbers_of_float32_meet_constants_of_float64():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        p, t = (rng.integers(0, 11, (6, 5)) / 10).astype(np.float32), rng.integers(0, 11, (6, 5))
        assert check_gradients(nn.L1Loss(), p, t / 10).ok
        assert check_gradients(nn.ReLU(), p.astype(float) - 0.3).ok


def test_what_lies_between_no_slopes_fails_at_the_kink():
    x = np.array([[0.0, 1.0, -1.0, 0.0], [2.0, 0.0, -3.0, 1.5]])
    for value in (17.0, -0.5, 2.0):
        wrong = layer(
            lambda x: (np.maximum(x, 0), x),
            lambda dy, x, v=value: dy * np.where(x > 0, 1, np.where(x < 0, 0, v)),
        )
        report = check_gradients(wrong, x)
        assert verdicts(report) == {"dx": ("fail", "outside_kink")}
        assert "between" in str(report)
    half = layer(lambda x: (np.maximum(x, 0), x), lambda dy, x: dy * (x > 0) + dy * (x == 0) / 2)
    assert check_gradients(half, x).ok


def test_a_tie_of_two_inputs_is_one_gradient():
    def maximum(first, second):
        def backward(dy, cache):
            u, v = cache
            return dy * first(u, v), dy * second(u, v)

        return layer(lambda u, v: (np.maximum(u, v), (u, v)), backward)

    u, v = numbers(5, 4), numbers(5, 4, seed=1)
    v[:2] = u[:2]
    assert check_gradients(maximum(np.greater_equal, np.less), u, v).ok
    assert codes(maximum(np.greater_equal, np.less_equal), u, v)


class Rounds:
    """A dense layer with a tanh that rounds inside, and returns float64."""

    def __init__(self, dtype, offset=0.0):
        self.dtype, self.offset, self.W = dtype, offset, numbers(5, 3)

    def forward(self, x):
        self.x = x.astype(self.dtype)
        self.y = np.tanh(self.x @ self.W.astype(self.dtype))
        return self.y.astype(np.float64) + self.offset

    def backward(self, dy):
        d = dy * (1 - self.y.astype(float) ** 2)
        self.dW = self.x.astype(float).T @ d
        return d @ self.W.T


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("offset", [0.0, 1e3, 1e9])
def test_a_layer_that_rounds_inside_is_not_accused(dtype, offset):
    assert check_gradients(Rounds(dtype, offset), X).ok


def test_rounding_inside_hides_no_plain_mistake():
    for dtype in (np.float32, np.float64):
        wrong = type("Wrong", (Rounds,), {"backward": lambda s, dy: -Rounds.backward(s, dy)})
        assert codes(wrong(dtype), X) == {"dx": "sign"}


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e-3, 1e6, 1e12])
@pytest.mark.parametrize(
    "build",
    [nn.Tanh, nn.ReLU, nn.Softmax, lambda: nn.LayerNorm(5, epsilon=0), lambda: nn.Linear(5, 3)],
    ids=["tanh", "relu", "softmax", "layernorm", "linear"],
)
def test_numbers_of_any_size_are_checked(build, size):
    assert check_gradients(build(), X * size).ok


@pytest.mark.parametrize("size", [1e-12, 1e12])
def test_mistakes_are_seen_at_any_size(size):
    wrong = layer(lambda x: (x * x, x), lambda dy, x: dy * x)
    assert codes(wrong, X * size) == {"dx": "factor_half"}


@pytest.mark.parametrize("noise", [1e-13, 1e-9, 1e-6, 1e-3, 1e-1])
def test_noise_in_y_is_measured(noise):
    def forward(x):
        y = np.tanh(x)
        return y + noise * np.modf(np.sin(y * 1e15) * 1e4)[0], x  # the same for the same x

    assert check_gradients(layer(forward, lambda dy, x: dy * (1 - np.tanh(x) ** 2)), X).ok


def test_undecidable_says_why():
    report = check_gradients(Rounds(np.float32, 1e9), X)
    assert "y is about 1e+09, and known to" in str(report)
    assert {f.code for f in report.findings} >= {"precision"}


def test_a_gradient_that_is_0_by_symmetry_passes():
    layer = nn.MultiHeadAttention(4, 2, rng=1)  # softmax does not see what all keys share
    assert verdicts(check_gradients(layer, numbers(3, 5, 4)))["b_k"] == ("pass", "")
