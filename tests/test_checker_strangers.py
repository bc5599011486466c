"""What layers of further strangers do: each is understood, or its mistake has a name."""

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X, codes, numbers, verdicts
from tests.mutation_study.textbook import Conv, MaxPool, images

W, B = numbers(5, 3, seed=1), numbers(3, seed=2)
LABELS = np.eye(5)[np.arange(7) % 5]


def of(report):
    return {finding.verdict for finding in report.findings}


# Arguments of backward -----------------------------------------------------------------------


def leaky_forward(z, alpha=0.1):
    return np.where(z > 0, z, alpha * z)


def leaky_backward(next_dz, z, alpha=0.1):
    return np.where(z > 0, next_dz, alpha * next_dz)


def test_a_default_that_forward_has_too_stays_as_it_is():
    """alpha is the slope here, and no learning rate."""
    assert of(check_gradients((leaky_forward, leaky_backward), X)) == {"pass"}


def test_a_loss_may_take_its_labels_and_a_default_of_forward_again():
    class CrossEntropy:
        def forward(self, prediction, label, epsilon=1e-12):
            self.prediction = prediction
            return -np.sum(label * np.log(prediction + epsilon))

        def backward(self, label, epsilon=1e-12):
            return -label / (self.prediction + epsilon)

    assert verdicts(check_gradients(CrossEntropy(), np.abs(X), LABELS)) == {"dx": ("pass", "")}


def test_an_input_may_have_another_name_in_backward():
    def scaled(image, factor):
        return image * factor

    def backward(dout, original, factor):
        return dout * factor, np.sum(dout * original)

    assert of(check_gradients((scaled, backward), X, 1.5)) == {"pass"}


def test_what_is_guessed_and_nowhere_right_is_not_understood():
    def scaled(image, factor):
        return image * factor

    def backward(dout, strength, offset):
        return dout + strength, np.zeros(()) + offset.sum()

    with pytest.raises(ValueError, match="not understood"):
        check_gradients((scaled, backward), X, 1.5)


# What is returned ----------------------------------------------------------------------------


def affine_forward(x, w, b):
    return x @ w + b


def affine_backward(dout, w, x):
    return x.T @ dout, dout.sum(0), dout @ w.T


def test_functions_may_return_dx_last():
    report = check_gradients((affine_forward, affine_backward), X, W, B)
    assert of(report) == {"pass"}
    assert any("last" in warning for warning in report.warnings)


def test_a_factor_is_named_where_dx_is_returned_last():
    def halved(dout, w, x):
        dw, db, dx = affine_backward(dout, w, x)
        return dw / len(x), db, dx

    assert codes((affine_forward, halved), X, W, B) == {"dx[1]": "factor_1_n"}


def test_two_factors_exchanged_are_a_mistake_still():
    def forward(u, v):
        return u @ v

    def backward(dout, u, v):
        return u.T @ dout, dout @ v.T

    assert set(codes((forward, backward), X, W)) == {"dx[0]", "dx[1]"}


def test_a_kernel_of_as_many_channels_as_samples_is_not_halved():
    def forward(z, K):
        return np.einsum("nchw,cohw->no", z[:, : len(K)], K)

    def backward(dout, z, K):
        return np.einsum("no,cohw->nchw", dout, K), np.einsum("no,nchw->cohw", dout, z)

    z, K = numbers(2, 2, 3, 4), numbers(2, 5, 3, 4)
    assert of(check_gradients((forward, backward), z, K)) == {"pass"}


def test_a_loss_may_come_after_probabilities():
    class Softmax:
        def forward(self, x, y):
            e = np.exp(x - x.max(1, keepdims=True))
            self.p, self.y = e / e.sum(1, keepdims=True), y
            return self.p, -np.log(self.p[np.arange(len(x)), y]).mean()

        def backward(self):
            dx = self.p.copy()
            dx[np.arange(len(dx)), self.y] -= 1
            self.dx = dx / len(dx)

    labels = np.arange(7) % 5
    assert verdicts(check_gradients(Softmax(), X, labels)) == {"dx": ("pass", "")}
    wrong = type("Wrong", (Softmax,), {})

    def backward(self):
        Softmax.backward(self)
        self.dx = self.dx * len(self.dx)

    wrong.backward = backward
    assert codes(wrong(), X, labels) == {"dx": "factor_n"}


# How objects are made ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["backprop", "compute_gradients", "back_propagation"])
def test_backward_has_many_names(name):
    methods = {
        "forward": lambda self, x: setattr(self, "y", np.tanh(x)) or self.y,
        name: lambda self, grads: grads * (1 - self.y**2),
    }
    assert of(check_gradients(type("Tanh", (), methods)(), X)) == {"pass"}


class Parameters:
    def __init__(self, values):
        self.params, self.grads = values.copy(), np.zeros_like(values)


class WithParameters:
    factor = 1.0

    def __init__(self):
        self.W, self.regime = Parameters(W), "train"

    def forward(self, x):
        self.x = x
        return x @ self.W.params

    def backward(self, grads):
        if self.regime == "eval":
            raise RuntimeError("no gradients in evaluation")
        self.W.grads = self.factor * self.x.T @ grads
        return grads @ self.W.params.T

    def eval(self):
        self.regime = "eval"


def test_a_parameter_may_be_an_object_with_params_and_grads():
    report = check_gradients(WithParameters(), X)
    assert verdicts(report) == {"dx": ("pass", ""), "W": ("pass", "")}
    wrong = type("Wrong", (WithParameters,), {"factor": 2.0})
    assert codes(wrong(), X) == {"W": "factor_2"}


def test_to_refuse_gradients_in_evaluation_is_no_mistake():
    report = check_gradients(WithParameters(), X)
    assert any("no gradients in evaluation" in warning for warning in report.warnings)


def test_a_buffer_of_float32_made_anew_for_another_batch_is_no_leak():
    class Rounds:
        def __init__(self):
            self.room = np.zeros((1, 5))

        def forward(self, x):
            if len(x) != len(self.room):
                self.room = np.zeros(x.shape, np.float32)
            return x * 3

        def backward(self, dy):
            self.room[...] = 3 * dy
            return self.room.copy()

    assert of(check_gradients(Rounds(), X[:2])) == {"pass"}


# Names ---------------------------------------------------------------------------------------


def emptied(self, dx):
    return dx[:, :, 0:-0, 0:-0]


def test_a_crop_by_a_padding_of_0_is_named():
    wrong = type("Wrong", (Conv,), {"cropped": emptied})
    x = images(np.random.default_rng(0))[0]
    assert codes(wrong(3, 1, 0), x) == {"dx": "cropped_to_nothing"}


@pytest.mark.parametrize("axis", [0, 1])
def test_windows_that_a_loop_leaves_out_are_named(axis):
    class Short(MaxPool):
        def backward(self, dy):
            dx = np.zeros_like(self.x)
            for i, j, window in self.windows():
                if (i, j)[axis] == self.y.shape[2 + axis] - 1:
                    continue
                mask = self.x[window] == self.y[:, :, i, j][:, :, None, None]
                self.add(dx, window, mask * dy[:, :, i, j][:, :, None, None])
            return dx

    x = images(np.random.default_rng(0))[0]
    assert codes(Short(2, 2), x) == {"dx": "windows_left_out"}


def test_gamma_after_the_means_is_named():
    class LayerNorm:
        def __init__(self):
            self.gamma, self.beta = np.ones(5), np.zeros(5)

        def forward(self, x):
            self.deviation = np.sqrt(x.var(-1, keepdims=True) + 1e-3)
            self.normal = (x - x.mean(-1, keepdims=True)) / self.deviation
            return self.gamma * self.normal + self.beta

        def backward(self, dy):
            self.dgamma, self.dbeta = (dy * self.normal).sum(0), dy.sum(0)
            g = dy - dy.mean(-1, keepdims=True)
            g = g - self.normal * (dy * self.normal).mean(-1, keepdims=True)
            return self.gamma * g / self.deviation

    assert codes(LayerNorm(), X) == {"dx": "scale_too_late"}


def test_numbers_near_0_are_named_by_what_is_known_of_them():
    """Of two samples BatchNorm's gradient is all but 0, and known to a few digits only."""

    class BatchNorm:
        def forward(self, x):
            self.x = x - x.mean(0)
            self.deviation = np.sqrt((self.x**2).mean(0) + 1e-10)
            return self.x / self.deviation

        def backward(self, dy):
            n, normal = len(dy), self.x / self.deviation
            return (n * dy - dy.sum(0) - normal * (dy * normal).sum(0)) / self.deviation

    assert codes(BatchNorm(), X[:5]) == {"dx": "factor_n"}


class TrainsByAdam:
    corrected = (True, True)

    def __init__(self):
        self.W, self.lr, self.beta1, self.t = W.copy(), 0.01, 0.8, 0
        self.m, self.v = np.zeros_like(W), np.zeros_like(W)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dy):
        dx, g, self.t = dy @ self.W.T, self.x.T @ dy, self.t + 1
        self.m, self.v = 0.8 * self.m + 0.2 * g, 0.999 * self.v + 0.001 * g**2
        m = self.m / (1 - 0.8**self.t) if self.corrected[0] else self.m
        v = self.v / (1 - 0.999**self.t) if self.corrected[1] else self.v
        self.W = self.W - self.lr * m / (np.sqrt(v) + 1e-8)
        return dx


def test_of_a_step_of_adam_the_signs_are_compared():
    found = verdicts(check_gradients(TrainsByAdam(), X))
    assert found == {"dx": ("pass", ""), "W": ("undecidable", "not_compared")}


@pytest.mark.parametrize(
    ("corrected", "words"),
    [((False, True), "m is not"), ((True, False), "v is not"), ((False, False), "m and v are not")],
)
def test_a_moment_that_is_not_corrected_is_named(corrected, words):
    report = check_gradients(type("Wrong", (TrainsByAdam,), {"corrected": corrected})(), X)
    assert verdicts(report)["W"] == ("fail", "bias_correction_missing")
    assert words in str(report)


# Words ---------------------------------------------------------------------------------------


class Dense:
    def __init__(self):
        self.W, self.b = W.copy(), B[None].copy()

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b


def test_gradients_that_changed_places_are_told_so_though_a_sum_lost_its_axis():
    def backward(self, dy):
        return dy @ self.W.T, dy.sum(0), self.x.T @ dy

    exchanged = type("Exchanged", (Dense,), {"backward": backward})
    assert codes(exchanged(), X) == {"W": "swapped", "b": "swapped"}


def test_a_statistic_among_the_parameters_is_told_to_stay_apart():
    class Shifted:
        def __init__(self):
            self.params = {"gamma": B.copy(), "running_mean": np.zeros(3)}

        def forward(self, x):
            self.x = x[:, :3]
            self.params["running_mean"] = 0.9 * self.params["running_mean"]
            return self.x * self.params["gamma"]

        def backward(self, dy):
            dx = np.zeros((len(dy), 5))
            dx[:, :3] = dy * self.params["gamma"]
            return dx, {"gamma": (dy * self.x).sum(0)}

    report = check_gradients(Shifted(), X)
    assert report.ok
    assert "running_mean is a statistic by its name" in str(report)
    assert "return it after dx" not in str(report)
