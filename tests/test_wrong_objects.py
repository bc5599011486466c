"""The gradient checker on objects that are wrong, each in one way, which it must name."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.gradient_check import CODES, check_gradients
from tests.checked_objects import (
    Affine,
    Bare,
    BatchNorm,
    Mytorch,
    Plain,
    X,
    changed,
    codes,
    linear,
    verdicts,
)

# Wrong ones ---------------------------------------------------------------------------------


def raising(error):
    def backward(self, *_):
        raise error

    return backward


def adds_up(self, dy):
    self.dLdW = getattr(self, "dLdW", 0) + dy.T @ self.A
    self.dLdb = getattr(self, "dLdb", 0) + dy.sum(0)[:, None]
    return dy @ self.W


def trains(self, dy):
    dx, dW, db = dy @ self.W.T, self.x.T @ dy, dy.sum(0)
    self.W = self.W - 0.1 * dW
    return dx, dW, db


def halves_its_cache(self, dy):
    dx = dy @ self.params["W"].T
    self.x = self.x / 2
    return dx, 2 * self.x.T @ dy, dy.sum(0)


def scales_dy(self, dy):
    dy *= 1 - np.tanh(self.x) ** 2
    return dy


def keeps_x(self, x):
    self.x = x
    return np.tanh(x)


def clips_x(self, x):
    self.x = np.maximum(x, 0, out=x)
    return self.x * 1.0


def keeps_the_first(self, x):
    self.x = getattr(self, "x", x)
    return np.tanh(x)


def lags(self, x):
    self.x, self.next = getattr(self, "next", x), x
    return np.tanh(x)


def tanh_slope(self, dy):
    return dy * (1 - np.tanh(self.x) ** 2)


def naive_softmax(self, x):
    e = np.exp(x)
    self.y = e / e.sum(-1, keepdims=True)
    return self.y


def softmax_gradient(self, dy):
    return self.y * (dy - np.sum(dy * self.y, -1, keepdims=True))


WRONG = [
    ("missing", changed(Affine, backward=lambda s, dy: (dy @ s.params["W"].T, s.x.T @ dy)), "b"),
    ("missing", linear(gradient_pass=lambda s, dy, x: {"W": dy.T @ x}), "b"),
    ("missing", changed(Mytorch, backward=lambda s, dy: dy @ s.W), "W"),
    ("not_implemented", changed(Affine, backward=raising(NotImplementedError())), "dx"),
    ("exception", changed(Affine, backward=raising(IndexError("out of range"))), "dx"),
    ("none", changed(Affine, backward=lambda s, dy: None), "dx"),
    ("swapped", changed(Bare, backward=lambda s, dy: (dy @ s.W.T, dy.sum(0), s.x.T @ dy)), "W"),
    ("transposed", linear(gradient_pass=lambda s, dy, x: {"W": x.T @ dy, "b": dy.sum(0)}), "W"),
    ("accumulated", changed(Mytorch, backward=adds_up), "W"),
    ("mutated_params", changed(Bare, backward=trains), "W"),
    ("second_backward", changed(Affine, backward=halves_its_cache), "W"),
    ("mutated_dy", changed(Plain, forward=keeps_x, backward=scales_dy), "dx"),
    ("mutated_input", changed(Plain, forward=clips_x, backward=lambda s, dy: dy * (s.x > 0)), "dx"),
    ("stale_cache", changed(Plain, forward=keeps_the_first, backward=tanh_slope), "dx"),
    ("stale_cache", changed(Plain, forward=lags, backward=tanh_slope), "dx"),
    ("non_finite", changed(Plain, forward=naive_softmax, backward=softmax_gradient), "dx"),
    ("dtype", linear(backward_pass=lambda s, dy, x: np.float32(dy @ s.params["W"])), "dx"),
]


@pytest.mark.parametrize(("code", "wrong", "array"), WRONG, ids=[w[0] for w in WRONG])
def test_a_wrong_object_fails_with_its_name(code, wrong, array):
    report = check_gradients(wrong, X)
    assert not report.ok
    assert verdicts(report)[array] == ("fail", code), str(report)


def test_a_state_that_is_no_cache_is_found():
    def forward(self, x):
        self.calls = getattr(self, "calls", 0) + len(np.unique(x))
        self.x = x
        return x * 1.0

    def backward(self, dy):
        return dy * (1 if self.calls <= 40 else 0.5)

    assert codes(changed(Plain, forward=forward, backward=backward), X) == {"dx": "state_leak"}


def test_zero_grad_makes_adding_up_right():
    def zero_grad(self):
        self.dLdW, self.dLdb = 0, 0

    assert check_gradients(changed(Mytorch, backward=adds_up, zero_grad=zero_grad), X).ok


def test_a_layer_used_twice_must_add_its_gradients():
    class Last(nn.Sequential):
        def backprop(self, dy, cache, out=None, need_dx=True):
            grads = {}
            for i in reversed(range(len(self.layers))):
                dy, found = self.layers[i].backprop(dy, cache[i][0])
                grads |= {self.listing.names[i][key]: grad for key, grad in found.items()}
            return dy, grads

    shared = nn.Linear(5, 5, rng=0)
    assert codes(Last(shared, nn.Tanh(), shared), X) == {
        "0.W": "not_accumulated",
        "0.b": "not_accumulated",
    }


def test_a_mistake_in_evaluation_alone_is_found():
    report = check_gradients(changed(BatchNorm, evaluates=lambda self: False), X)
    assert not report.ok
    assert "in evaluation mode" in str(report)


def test_batchnorm_without_a_path_is_named():
    for code, wrong in (
        ("mean_path_missing", lambda g, n: n * (g * n).mean(0)),
        ("variance_path_missing", lambda g, n: g.mean(0)),
        ("mean_and_variance_paths_missing", lambda g, n: 0),
    ):

        def backward(self, dy, wrong=wrong):
            _, grads = BatchNorm.backward(self, dy)
            g = dy * self.params["gamma"]
            return (g - wrong(g, self.normal) * self.training) / self.deviation, grads

        assert codes(changed(BatchNorm, backward=backward), X) == {"dx": code}


def test_all_codes_of_findings_are_documented():
    for _, wrong, _ in WRONG:
        assert {f.code for f in check_gradients(wrong, X).findings} <= {"", *CODES}


def test_a_mistake_for_one_kind_of_number_alone_is_found():
    class Loss(nn.MSELoss):
        def backward(self, dy=1.0):
            right = super().backward(dy)
            return right if type(dy) is float else -right

    assert not check_gradients(Loss(), X, X[::-1].copy()).ok
