"""Networks and layers that keep books of their own: errors, penalties, masks, lists of pairs."""

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X, numbers

W, B = numbers(5, 3, seed=1), numbers(3, seed=2)


def codes(report):
    """The code of every finding, "" of what passes."""
    return {finding.array: finding.code for finding in report.findings}


class AddsError:
    """Is given target - output, and adds; `wrong` times the step of W."""

    wrong, upwards = 1.0, 1.0

    def __init__(self):
        self.W, self.b = W.copy(), B.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, error, lr):
        dx = error @ self.W.T
        self.W += lr * self.wrong * self.x.T @ error
        self.b += self.upwards * lr * error.sum(0)
        return dx


def test_an_error_that_is_added_is_no_wrong_sign():
    report = check_gradients(AddsError(), X)
    assert codes(report) == {"dx": "", "W": "", "b": ""}, report
    assert any("an error target - output" in words for words in report.warnings)


def test_a_wrong_step_of_an_error_that_is_added_is_named():
    layer = AddsError()
    layer.wrong = 2.0
    assert codes(check_gradients(layer, X)) == {"dx": "", "W": "factor_2", "b": ""}


def test_a_step_up_beside_one_down_has_the_wrong_sign():
    layer = AddsError()
    layer.upwards = -1.0
    assert codes(check_gradients(layer, X)) == {"dx": "", "W": "sign", "b": ""}


@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_a_penalty_that_backward_takes_is_none(wrong):
    class Dense:
        def __init__(self):
            self.W = W.copy()

        def forward(self, X):
            self.X = X
            return X @ self.W

        def backward(self, dA, reg_lambda):
            self.dW = wrong * self.X.T @ dA + reg_lambda * self.W
            return dA @ self.W.T

    found = codes(check_gradients(Dense(), X))
    assert found == {"dx": "", "W": "" if wrong == 1.0 else "factor_2"}


@pytest.mark.parametrize("scaled", [True, False])
def test_a_mask_beside_the_output_is_handed_to_backward(scaled):
    def dropout(A, rate):
        mask = np.arange(A.size).reshape(A.shape) % 3 > 0
        return A * mask / (1 - rate), mask

    def dropout_backward(dA, dropout_mask, rate):
        return dA * dropout_mask / ((1 - rate) if scaled else 1)

    found = codes(check_gradients((dropout, dropout_backward), X, 0.4))
    assert (found["dx[0]"] == "") is scaled


@pytest.mark.parametrize("attribute", [True, False])
def test_a_dy_that_is_no_array_is_not_understood(attribute):
    class Tanh:
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def backward(self, next_grads):
            above = next_grads.error if attribute else next_grads["output"]
            return above * (1 - self.y**2)

    report = check_gradients(Tanh(), X)
    assert report.ok and codes(report) == {"dx": "not_understood"}


def test_a_dy_that_is_wanted_by_its_name_is_not_understood():
    class Tanh:
        def forward(self, x):
            self.y = np.tanh(x)
            return self.y

        def backward(self, *, grad_output):
            return grad_output * (1 - self.y**2)

    report = check_gradients(Tanh(), X)
    assert report.ok and codes(report) == {"dx": "not_understood"}


class Network:
    """Its loss(X, y) returns the gradients as well; `averaged` as the loss is."""

    def __init__(self, averaged=True):
        self.params, self.averaged = {"W": W.copy(), "b": B.copy()}, averaged

    def loss(self, X, y):
        z = X @ self.params["W"] + self.params["b"]
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        rows = np.arange(len(X))
        value = -np.log(p[rows, y]).mean()
        p[rows, y] -= 1
        p /= len(X) if self.averaged else 1
        return value, {"W": X.T @ p, "b": p.sum(0)}


@pytest.mark.parametrize("averaged", [True, False])
@pytest.mark.parametrize("method", [True, False])
def test_a_network_whose_loss_returns_the_gradients_is_compared(averaged, method):
    network, y = Network(averaged), np.arange(7) % 3
    found = codes(check_gradients(network.loss if method else network, X, y))
    code = "" if averaged else "factor_n"
    assert (found["layer.W"], found["layer.b"], found["dx[0]"]) == (code, code, "not_compared")
    assert np.array_equal(network.params["W"], W)


@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_a_network_may_return_a_pair_of_gradients_for_each_layer(wrong):
    class Dense:
        def __init__(self, n, m):
            self.W, self.b = numbers(n, m, seed=n) / 3, numbers(m, seed=m)

        def forward(self, x):
            self.x, self.y = x, np.tanh(x @ self.W + self.b)
            return self.y

        def backward(self, dy):
            d = dy * (1 - self.y**2)
            return d @ self.W.T, self.x.T @ d, wrong * d.sum(0)

    class Net:
        def __init__(self):
            self.layers = [Dense(5, 4), Dense(4, 3)]

        def forward(self, x):
            for layer in self.layers:
                x = layer.forward(x)
            return x

        def backward(self, loss_gradient):
            grads, dy = [], loss_gradient
            for layer in reversed(self.layers):
                dy, dW, db = layer.backward(dy)
                grads.insert(0, (dW, db))
            return grads

    code = "" if wrong == 1.0 else "factor_2"
    expected = {"dx": "not_compared", "0.W": "", "0.b": code, "1.W": "", "1.b": code}
    assert codes(check_gradients(Net(), X)) == expected


@pytest.mark.parametrize("wrong", [1.0, 3.0])
def test_the_default_rate_of_one_way_to_call_backward_is_not_that_of_another(wrong):
    class Dense:
        def __init__(self):
            self.W, self.b = W.copy(), B.copy()

        def forward(self, x):
            return x @ self.W + self.b

        def backward(self, x, grad_out, lr=0.01):
            dx = wrong * grad_out @ self.W.T
            self.W -= lr * x.T @ grad_out
            self.b -= lr * grad_out.sum(0)
            return dx

    found = codes(check_gradients(Dense(), X))
    assert found == {"dx": "" if wrong == 1.0 else "factor", "W": "", "b": ""}


class TrainsAndReturnsNothing:
    """A recurrent network of steps in a list, the first of all layers."""

    wrong = 1.0

    def __init__(self):
        self.Wx, self.Wh, self.Wy = (
            numbers(4, 3) / 3, numbers(4, 4, seed=1) / 4, numbers(2, 4, seed=2)
        )  # fmt: skip

    def forward(self, inputs):
        self.inputs, self.h = inputs, [np.zeros((4, 1))]
        for x in inputs:
            self.h.append(np.tanh(self.Wx @ x + self.Wh @ self.h[-1]))
        return self.Wy @ self.h[-1], self.h[-1]

    def backward(self, d_y, learn_rate=0.02):
        d_h, dWx, dWh = self.Wy.T @ d_y, 0.0, 0.0
        for x, before, h in reversed(list(zip(self.inputs, self.h, self.h[1:], strict=False))):
            d = d_h * (1 - h**2)
            dWx, dWh, d_h = dWx + d @ x.T, dWh + d @ before.T, self.Wh.T @ d
        self.Wy -= learn_rate * self.wrong * d_y @ self.h[-1].T
        self.Wx -= learn_rate * dWx
        self.Wh -= learn_rate * dWh


@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_a_first_layer_that_trains_itself_may_return_nothing(wrong):
    layer = TrainsAndReturnsNothing()
    layer.wrong = wrong
    found = codes(check_gradients(layer, [numbers(3, 1, seed=s) for s in range(4)]))
    by_inputs = {f"dx[{i}]": "not_compared" for i in range(4)}
    assert found == by_inputs | {"Wx": "", "Wh": "", "Wy": "" if wrong == 1.0 else "factor_2"}


def test_training_on_labels_inside_backward_is_not_understood():
    class Network:
        def __init__(self):
            self.w = W.copy()

        def feedforward(self, x):
            self.output = np.tanh(x @ self.w)
            return self.output

        def backprop(self, x, y, alpha=0.1):
            self.w -= alpha * x.T @ ((self.output - y) * (1 - self.output**2))

    report = check_gradients(Network(), X)
    assert report.ok and report.findings[0].code == "not_understood", report


def test_what_an_operation_saved_for_one_use_may_stay():
    class Product:
        def __init__(self):
            self.saved = []

        def save_for_backward(self, *arrays):
            self.saved.extend(arrays)

        def forward(self, x, y):
            self.save_for_backward(x, y)
            return x @ y

        def backward(self, prev_grad):
            x, y = self.saved
            return prev_grad @ y.T, x.T @ prev_grad

    assert codes(check_gradients(Product(), X, W)) == {"dx[0]": "", "dx[1]": ""}
