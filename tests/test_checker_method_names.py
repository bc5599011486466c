"""Methods by other names than forward and backward, and what these are passed and hand back."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X, numbers

T = np.eye(3)[[0, 1, 2, 1, 0, 2, 2]]


def codes(report):
    """The code of every finding, "" of what passes."""
    return {finding.array: finding.code for finding in report.findings}


@pytest.mark.parametrize(
    "names",
    [("feedforward", "backprop"), ("compute", "derivative"), ("loss", "gradient"), ("f", "df")],
)
@pytest.mark.parametrize("wrong", [1, 2])
def test_a_loss_is_known_by_many_names(names, wrong):
    def squares(self, y_pred, y_true):
        return np.mean((y_pred - y_true) ** 2)

    def slope(self, y_pred, y_true):
        return wrong * 2 * (y_pred - y_true) / y_true.size

    loss = type("Loss", (), dict(zip(names, (squares, slope), strict=True)))()
    report = check_gradients(loss, numbers(7, 3), numbers(7, 3, seed=1))
    assert codes(report) == {"dx": "" if wrong == 1 else "factor_2"}


def test_a_derivative_beside_its_function_is_adapted_by_the_names_of_its_methods():
    class Sigmoid:
        def __call__(self, x):
            return 1 / (1 + np.exp(-x))

        def derivative(self, x):
            return self(x) * (1 - self(x))

    [finding] = check_gradients(Sigmoid(), X).findings
    assert finding.code == "not_understood"
    assert "layer.__call__(*inputs)" in finding.message and "layer.derivative" in finding.message


@pytest.mark.parametrize("averaged", [True, False])
def test_a_network_that_gives_gradients_of_its_parameters_alone_owes_none_by_x(averaged):
    class Network:
        def __init__(self):
            self.params = {"W": numbers(5, 3, seed=1), "b": numbers(3, seed=2)}

        def predict(self, x):
            e = np.exp(x @ self.params["W"] + self.params["b"])
            return e / e.sum(1, keepdims=True)

        def loss(self, x, t):
            return -np.sum(t * np.log(self.predict(x))) / len(x)

        def gradient(self, x, t):
            d = (self.predict(x) - t) / (len(x) if averaged else 1)
            return {"W": x.T @ d, "b": d.sum(0)}

    found = codes(check_gradients(Network(), X, T))
    code = "" if averaged else "factor_n"
    assert (found["dx[0]"], found["W"], found["b"]) == ("not_compared", code, code)


@pytest.mark.parametrize("right", [True, False])
def test_a_loss_of_integer_labels_first_is_checked_by_its_probabilities(right):
    def entropy(a, a_hat):
        return -np.log(a_hat[a])

    def entropy_backward(a, a_hat, gb):
        g = np.zeros(len(a_hat))
        g[a] = (-1 if right else 1) * gb / a_hat[a]
        return g

    report = check_gradients((entropy, entropy_backward), 2, np.array([0.2, 0.3, 0.5]))
    assert codes(report) == {"dx[1]": "" if right else "sign"}


def test_backward_may_take_the_output_before_its_gradient():
    class Softmax:
        def forward(self, a):
            e = np.exp(a - a.max(-1, keepdims=True))
            return e / e.sum(-1, keepdims=True)

        def backward(self, y_hat, g_y_hat):
            return y_hat * (g_y_hat - (y_hat * g_y_hat).sum(-1, keepdims=True))

    assert codes(check_gradients(Softmax(), X)) == {"dx": ""}


@pytest.mark.parametrize("wrong", [1, 2])
def test_the_activations_before_are_the_input_again(wrong):
    class Dense:
        def __init__(self):
            self.weights, self.biases = numbers(3, 7, seed=1) / 4, numbers(3, 1, seed=2)

        def forward(self, x):
            self.a = np.tanh(self.weights @ x + self.biases)
            return self.a

        def backward(self, dz, prev_a):
            d = dz * (1 - self.a**2)
            self.dw, self.db = wrong * d @ prev_a.T, d.sum(1, keepdims=True)
            return self.weights.T @ d

    found = codes(check_gradients(Dense(), X))
    assert found == {"dx": "", "weights": "" if wrong == 1 else "factor_2", "biases": ""}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("wrong", [1, 2])
def test_a_mapping_of_gradients_stands_among_those_by_several_inputs(first, wrong):
    def cell(x, h, params):
        new = np.tanh(x @ params["W"] + h @ params["U"])
        return new, (x, h, new, params)

    def cell_backward(grad_h, cache):
        x, h, new, params = cache
        d = grad_h * (1 - new**2)
        grads = {"W": x.T @ d, "U": wrong * h.T @ d}
        by_input = d @ params["W"].T, d @ params["U"].T
        return (grads, *by_input) if first else (*by_input, grads)

    given = {"W": numbers(5, 4, seed=1) / 3, "U": numbers(4, 4, seed=2) / 3}
    found = codes(check_gradients((cell, cell_backward), X, numbers(7, 4, seed=3), given))
    assert found == {"dx[0]": "", "dx[1]": "", "W": "", "U": "" if wrong == 1 else "factor_2"}


@dataclass
class Weights:
    W: np.ndarray
    v: np.ndarray


@pytest.mark.parametrize("wrong", [1, 2])
def test_an_object_of_parameters_comes_back_as_one_of_gradients(wrong):
    def score(p, x):
        u = np.tanh(x @ p.W)
        return u @ p.v, {"x": x, "u": u}

    def score_backward(p, cache, dy):
        d = dy[:, None] * p.v * (1 - cache["u"] ** 2)
        return Weights(wrong * cache["x"].T @ d, cache["u"].T @ dy), d @ p.W.T

    given = Weights(numbers(5, 4, seed=1) / 3, numbers(4, seed=2))
    found = codes(check_gradients((score, score_backward), given, X))
    assert found == {"dx[1]": "", "W": "" if wrong == 1 else "factor_2", "v": ""}


@pytest.mark.parametrize("wrong", [1, 2])
def test_a_layer_that_functions_are_passed_keeps_the_gradients(wrong):
    def dense(layer, A):
        layer.A = A
        return A @ layer.p["W"] + layer.p["b"]

    def dense_backward(layer, dA):
        layer.g = {"dW": wrong * layer.A.T @ dA, "db": dA.sum(0)}
        return dA @ layer.p["W"].T

    layer = SimpleNamespace(p={"W": numbers(5, 3, seed=1), "b": numbers(3, seed=2)})
    found = codes(check_gradients((dense, dense_backward), layer, X))
    assert found == {"dx[1]": "", "p.W": "" if wrong == 1 else "factor_2", "p.b": ""}


@pytest.mark.parametrize("averaged", [True, False])
def test_a_function_that_returns_a_loss_and_its_gradient_is_checked_as_it_is(averaged):
    def softmax_loss(x, y):
        z = x - x.max(1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        rows = np.arange(len(x))
        loss = -(z[rows, y] - np.log(np.exp(z).sum(1))).mean()
        p[rows, y] -= 1
        return loss, p / (len(x) if averaged else 1)

    report = check_gradients(softmax_loss, X, np.arange(7) % 5)
    assert codes(report) == {"dx": "" if averaged else "factor_n"}
    assert report.subject == "softmax_loss"


@pytest.mark.parametrize("wrong", [1, 2])
def test_such_a_function_may_be_passed_a_mapping_of_parameters(wrong):
    def loss(params, x, t):
        error = x @ params["W"] + params["b"] - t
        return np.sum(error**2), {"W": wrong * 2 * x.T @ error, "b": 2 * error.sum(0)}

    given = {"W": numbers(5, 3, seed=1), "b": numbers(3, seed=2)}
    found = codes(check_gradients(loss, given, X, T))
    assert (found["W"], found["b"]) == ("" if wrong == 1 else "factor_2", "")
    assert found["dx[1]"] == "not_compared"
