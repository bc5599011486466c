"""Parameters that are passed in a mapping, outputs of which only some hand back a gradient."""

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import numbers

X, H = numbers(3, 7, seed=1), numbers(5, 7, seed=2)  # a sample in each column


def codes(report):
    """The code of every finding, "" of what passes."""
    return {finding.array: finding.code for finding in report.findings}


def params():
    shapes = {"Waa": (5, 5), "Wax": (5, 3), "ba": (5, 1), "Wya": (2, 5)}
    return {name: numbers(*shape, seed=i) / 3 for i, (name, shape) in enumerate(shapes.items())}


def step(x_t, a_prev, parameters):
    p = parameters
    a = np.tanh(p["Waa"] @ a_prev + p["Wax"] @ x_t + p["ba"])
    return a, p["Wya"] @ a, (a, a_prev, x_t, p)


def step_backward(da_next, cache):
    a, a_prev, x, p = cache
    d = (1 - a**2) * da_next
    return {
        "dx_t": p["Wax"].T @ d,
        "da_prev": p["Waa"].T @ d,
        "dWax": d @ x.T,
        "dWaa": d @ a_prev.T,
        "dba": d.sum(1, keepdims=True),
    }


RIGHT = dict.fromkeys(("dx[0]", "dx[1]", "Waa", "Wax", "ba", "Wya"), "")


def test_parameters_in_a_mapping_are_compared_by_the_keys_of_their_gradients():
    report = check_gradients((step, step_backward), X, H, params())
    assert codes(report) == RIGHT, report
    assert any("no gradient of output 1" in words for words in report.warnings)


@pytest.mark.parametrize(
    "key, name, factor, code",
    [
        ("dWax", "Wax", 2, "factor_2"),
        ("da_prev", "dx[1]", -1, "sign"),
        ("dx_t", "dx[0]", 0.5, "factor_half"),
        ("dba", "ba", None, "missing"),
    ],
)
def test_a_wrong_gradient_of_a_mapping_fails_under_the_name_of_what_it_belongs_to(
    key, name, factor, code
):
    def wrong(da_next, cache):
        grads = step_backward(da_next, cache)
        if factor is None:
            del grads[key]
        else:
            grads[key] = factor * grads[key]
        return grads

    assert codes(check_gradients((step, wrong), X, H, params())) == RIGHT | {name: code}


@pytest.mark.parametrize("cut", [False, True])
def test_a_state_and_a_memory_take_two_of_three_gradients(cut):
    def cell(x, h, c, params):
        keep = 1 / (1 + np.exp(-params["F"] @ np.concatenate([h, x])))
        memory = keep * c + np.tanh(params["C"] @ np.concatenate([h, x]))
        state = np.tanh(memory)
        return state, memory, params["Y"] @ state, (x, h, c, keep, memory, params)

    def cell_backward(dh_next, dc_next, cache):
        x, h, c, keep, memory, p = cache
        dm = (1 - np.tanh(memory) ** 2) * dh_next + (0 if cut else dc_next)
        df = dm * c * keep * (1 - keep)
        dn = dm * (1 - np.tanh(p["C"] @ np.concatenate([h, x])) ** 2)
        both = np.concatenate([h, x])
        dz = p["F"].T @ df + p["C"].T @ dn
        grads = {"F": df @ both.T, "C": dn @ both.T}
        return grads | {"dx": dz[len(h) :], "dh": dz[: len(h)], "dc": dm * keep}

    given = {"F": numbers(5, 8, seed=1), "C": numbers(5, 8, seed=2) / 4, "Y": numbers(2, 5)}
    report = check_gradients((cell, cell_backward), X, H, numbers(5, 7, seed=4), given)
    names = ("dx[0]", "dx[1]", "dx[2]", "F", "C")
    wrong = dict.fromkeys(names, "output_ignored") if cut else {}
    assert codes(report) == dict.fromkeys((*names, "Y"), "") | wrong


@pytest.mark.parametrize("wrong", [1, 2])
def test_nested_mappings_are_compared_entry_by_entry(wrong):
    def net(x, params):
        h = np.tanh(x @ params["first"]["W"] + params["first"]["b"])
        return h @ params["second"]["W"], (x, h, params)

    def net_backward(dout, cache):
        x, h, params = cache
        dz = dout @ params["second"]["W"].T * (1 - h * h)
        first = {"W": wrong * x.T @ dz, "b": dz.sum(0)}
        return dz @ params["first"]["W"].T, {"first": first, "second": {"W": h.T @ dout}}

    given = {
        "first": {"W": numbers(4, 6, seed=1), "b": numbers(6)},
        "second": {"W": numbers(6, 3)},
    }
    found = codes(check_gradients((net, net_backward), numbers(5, 4, seed=3), given))
    code = "" if wrong == 1 else "factor_2"
    assert found == {"dx[0]": "", "first.W": code, "first.b": "", "second.W": ""}


@pytest.mark.parametrize("wrong", [1, 2])
def test_a_layer_may_be_passed_its_parameters_and_keep_their_gradients(wrong):
    class Net:
        def forward(self, X, params):
            self.X, self.h = X, np.tanh(X @ params["W1"])
            return self.h @ params["W2"]

        def backward(self, dout, params):
            dh = dout @ params["W2"].T * (1 - self.h**2)
            self.grads = {"W1": wrong * self.X.T @ dh, "W2": self.h.T @ dout}
            return dh @ params["W1"].T

    given = {"W1": numbers(4, 6, seed=1), "W2": numbers(6, 3, seed=2)}
    found = codes(check_gradients(Net(), numbers(5, 4, seed=3), given))
    assert found == {"dx[0]": "", "W1": "" if wrong == 1 else "factor_2", "W2": ""}


def test_a_mapping_of_data_without_gradients_is_not_compared():
    class Weighted:
        def forward(self, batch):
            self.w = batch["w"]
            return np.sum(batch["scores"] * batch["w"])

        def backward(self, dout=1.0):
            return dout * self.w

    report = check_gradients(Weighted(), {"scores": numbers(5, 4), "w": numbers(5, 4, seed=1)})
    assert report.ok and codes(report) == dict.fromkeys(("scores", "w"), "not_compared"), report


def test_statistics_in_a_mapping_of_settings_are_no_parameters():
    def center(x, gamma, settings):
        settings["running_mean"] = 0.9 * settings["running_mean"] + 0.1 * x.mean(0)
        return gamma * (x - x.mean(0)), (x, gamma)

    def center_backward(dout, cache):
        x, gamma = cache
        d = dout * gamma
        return d - d.mean(0), (dout * (x - x.mean(0))).sum(0)

    settings = {"mode": "train", "running_mean": np.zeros(4)}
    report = check_gradients((center, center_backward), numbers(6, 4), numbers(4), settings)
    assert codes(report) == {"dx[0]": "", "dx[1]": ""}, report


@pytest.mark.parametrize("first", ["A", "Z"])
@pytest.mark.parametrize("wrong", [1, 2])
def test_of_an_activation_and_what_it_is_taken_of_one_is_the_output(first, wrong):
    class Dense:
        def __init__(self):
            self.W, self.b = numbers(5, 3, seed=1) / 3, numbers(5, 1, seed=2)

        def forward(self, X):
            Z = self.W @ X + self.b
            return (np.tanh(Z), Z) if first == "A" else (Z, np.tanh(Z))

        def backward(self, dA, Z, A_prev):
            dZ = dA * (1 - np.tanh(Z) ** 2)
            return wrong * dZ @ A_prev.T, dZ.sum(1, keepdims=True), self.W.T @ dZ

    found = codes(check_gradients(Dense(), X))
    assert found == {"dx": "", "W": "" if wrong == 1 else "factor_2", "b": ""}
