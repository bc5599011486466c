"""Arguments and results in orders of their own: target first, cache first, keys without halves."""

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X, numbers

P = np.abs(numbers(6, 4, seed=3)) + 0.2
T = np.abs(numbers(6, 4, seed=4)) + 0.1


def codes(report):
    """The code of every finding, "" of what passes."""
    return {finding.array: finding.code for finding in report.findings}


class SquaresOfTarget:
    """Mean squares as forward(y_true, y_pred); `wrong` times the right gradient."""

    def __init__(self, wrong=1.0):
        self.wrong = wrong

    def forward(self, y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    def backward(self, y_true, y_pred):
        return self.wrong * 2 * (y_pred - y_true) / y_true.size


class EntropyKept:
    """Entropy as forward(labels, probs), that keeps both and takes dout."""

    def __init__(self, wrong=1.0):
        self.wrong = wrong

    def __call__(self, labels, probs):
        self.labels, self.probs = labels, probs
        return -np.mean(np.sum(labels * np.log(probs), axis=1))

    def backward(self, dout=1.0):
        return -self.wrong * dout * self.labels / self.probs / len(self.labels)


@pytest.mark.parametrize("cls", [SquaresOfTarget, EntropyKept])
def test_a_loss_that_takes_the_target_first_is_checked_by_its_prediction(cls):
    report = check_gradients(cls(), T, P)
    assert codes(report) == {"dx": ""}, report
    assert any("target first" in words for words in report.warnings)


@pytest.mark.parametrize("cls", [SquaresOfTarget, EntropyKept])
def test_a_wrong_sign_of_a_loss_that_takes_the_target_first_is_named(cls):
    assert codes(check_gradients(cls(wrong=-1.0), T, P)) == {"dx": "sign"}


@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_two_inputs_with_the_names_of_a_loss_keep_their_order(wrong):
    class Product:
        def forward(self, y, out):
            self.y, self.out = y, out
            return y * out**2

        def backward(self, dy):
            return wrong * dy * self.out**2, 2 * dy * self.y * self.out

    report = check_gradients(Product(), T, P)
    assert codes(report) == {"dx[0]": "" if wrong == 1.0 else "factor_2", "dx[1]": ""}
    assert not any("target first" in words for words in report.warnings)


def test_a_loss_and_its_derivative_as_functions_may_take_integer_targets_first():
    def square(y_true, y_pred):
        return np.mean((y_true - y_pred) ** 2)

    def prime(y_true, y_pred):
        return 2 * (y_pred - y_true) / y_true.size

    def not_averaged(y_true, y_pred):
        return 2 * (y_pred - y_true)

    labels = np.eye(4, dtype=int)[[0, 1, 3, 2, 1, 0]]
    assert check_gradients((square, prime), labels, P).ok
    assert codes(check_gradients((square, not_averaged), labels, P)) == {"dx": "factor_n"}


def test_the_derivative_of_a_function_is_no_backward_pass():
    def derivative(z):
        return 1 - np.tanh(z) ** 2

    report = check_gradients((np.tanh, derivative), X)
    assert codes(report) == {"dx": "not_understood"} and report.ok


def test_a_network_whose_backward_takes_labels_is_not_understood():
    class Network:
        def __init__(self):
            self.W = numbers(5, 3, seed=1)

        def forward(self, X):
            e = np.exp(X @ self.W)
            self.p = e / e.sum(1, keepdims=True)
            return self.p

        def backward(self, X, y):
            return {"W": X.T @ (self.p - y) / len(X)}

    report = check_gradients(Network(), X)
    assert report.ok and report.findings[0].code == "not_understood", report


@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_the_cache_may_come_before_dy_and_dx_last(wrong):
    def scale_forward(x, gamma, beta):
        return gamma * x + beta, {"x": x, "gamma": gamma}

    def scale_backward(cache, grad_output):
        dgamma = wrong * (grad_output * cache["x"]).sum(0)
        return dgamma, grad_output.sum(0), grad_output * cache["gamma"]

    found = codes(
        check_gradients((scale_forward, scale_backward), X, numbers(5, seed=5), numbers(5, seed=6))
    )
    assert found == {"dx[0]": "", "dx[1]": "" if wrong == 1.0 else "factor_2", "dx[2]": ""}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("wrong", [1.0, 3.0])
def test_keys_and_values_are_no_parameters_of_attention(wrong, causal):
    def weights(q, k):
        s = q @ k.swapaxes(1, 2)
        s = np.where(np.tril(np.ones(s.shape[1:])), s, -np.inf) if causal else s
        e = np.exp(s - s.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def attention(q, k, v):
        return weights(q, k) @ v

    def attention_backward(q, k, v, go):
        a, da = weights(q, k), go @ v.swapaxes(1, 2)
        ds = a * (da - (da * a).sum(-1, keepdims=True))
        return wrong * ds @ k, ds.swapaxes(1, 2) @ q, a.swapaxes(1, 2) @ go

    q, k, v = numbers(2, 5, 4, seed=1), numbers(2, 6, 4, seed=2), numbers(2, 6, 3, seed=3)
    report = check_gradients((attention, attention_backward), q, k, v)
    assert codes(report) == {"dx[0]": "" if wrong == 1.0 else "factor", "dx[1]": "", "dx[2]": ""}


def test_half_of_a_batch_is_not_broadcast_against_the_whole():
    def add(x, shift):
        return x + shift

    def add_backward(x, shift, dout):
        return dout, dout

    class Kept:
        def forward(self, x, bias):
            return x * bias

        def backward(self, x, bias, grad):
            return grad * bias, grad * x

    pair = numbers(2, 5, 4, seed=1), numbers(2, 5, 4, seed=2)
    assert check_gradients(Kept(), *pair).ok
    assert check_gradients((add, add_backward), *pair).ok


@pytest.mark.parametrize("part, name", [("", ""), ("W", "weights"), ("x", "dx")])
def test_dx_is_found_under_the_name_of_the_gradient_that_came_in(part, name):
    class Layer:
        def __init__(self):
            self.weights, self.grad_w, self.accum_grad = numbers(3, 5, seed=1), None, None

        def forward(self, X):
            return np.tanh(X @ self.weights.T)

        def backward(self, accum_grad, layer_input):
            d = accum_grad * (1 - np.tanh(layer_input @ self.weights.T) ** 2)
            self.grad_w = d.T @ layer_input * (2 if part == "W" else 1)
            self.accum_grad = d @ self.weights * (2 if part == "x" else 1)

    found = codes(check_gradients(Layer(), X))
    assert found == {n: "factor_2" if n == name else "" for n in ("dx", "weights")}
