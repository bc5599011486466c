"""Mistakes that teachers see, planted into layers as students write them: each gets its name."""

import numpy as np
import pytest

from nnscratch.gradient_check import check_gradients
from tests.checked_objects import X, codes, layer, numbers


class Conv:
    """A convolution of images by two loops over places, as courses write it."""

    def __init__(self, kernel=3, stride=2, padding=1):
        self.W, self.b = numbers(4, 2, kernel, kernel, seed=1), numbers(4, seed=2)
        self.stride, self.padding = stride, padding

    def windows(self, stride=None):
        k, s = self.W.shape[2], self.stride if stride is None else stride
        for i in range(self.y.shape[2]):
            for j in range(self.y.shape[3]):
                yield i, j, (..., slice(i * s, i * s + k), slice(j * s, j * s + k))

    def forward(self, x):
        p, k, s = self.padding, self.W.shape[2], self.stride
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        h, w = ((n - k) // s + 1 for n in self.x.shape[2:])
        self.y = np.zeros((len(x), len(self.W), h, w))
        for i, j, window in self.windows():
            self.y[:, :, i, j] = np.einsum("nchw,ochw->no", self.x[window], self.W) + self.b
        return self.y.copy()

    def backward(self, dy):
        dx, self.dW, self.db = np.zeros_like(self.x), np.zeros_like(self.W), self.bias(dy)
        for i, j, window in self.windows():
            self.add(dx, window, np.einsum("no,ochw->nchw", dy[:, :, i, j], self.W))
            self.dW += np.einsum("no,nchw->ochw", dy[:, :, i, j], self.x[window])
        return self.cropped(dx)

    def add(self, dx, window, part):
        dx[window] += part

    def bias(self, dy):
        return dy.sum((0, 2, 3))

    def cropped(self, dx):
        p = self.padding
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]


class MaxPool(Conv):
    """A pooling of windows that may overlap."""

    def __init__(self, kernel=3, stride=2):
        super().__init__(kernel, stride, 0)
        del self.b

    def forward(self, x):
        k, s = self.W.shape[2], self.stride
        self.x = x
        h, w = ((n - k) // s + 1 for n in x.shape[2:])
        self.y = np.zeros((*x.shape[:2], h, w))
        for i, j, window in self.windows():
            self.y[:, :, i, j] = x[window].max((2, 3))
        return self.y.copy()

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for i, j, window in self.windows():
            mask = self.x[window] == self.y[:, :, i, j][:, :, None, None]
            self.add(dx, window, mask * dy[:, :, i, j][:, :, None, None])
        return dx


class AvgPool(MaxPool):
    def forward(self, x):
        super().forward(x)
        for i, j, window in self.windows():
            self.y[:, :, i, j] = x[window].mean((2, 3))
        return self.y.copy()

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        for i, j, window in self.windows():
            part = np.ones(self.x[window].shape) / self.W.shape[2] ** 2
            self.add(dx, window, part * dy[:, :, i, j][:, :, None, None])
        return dx


def assigned(self, dx, window, part):
    seen = part != 0
    dx[window] = np.where(seen, part, dx[window]) if isinstance(self, MaxPool) else part


def turned(self, dx, window, part):
    dx[window] += part[..., ::-1, ::-1]


def of_stride_1(cls):
    class Wrong(cls):
        def backward(self, dy):
            every = self.windows
            self.windows = lambda: every(1)
            try:
                return super().backward(dy)
            finally:
                del self.windows

    return Wrong


def averaged(by):
    def backward(self, dy):
        dx = Conv.backward(self, dy)
        self.dW = self.dW / by(dy)
        return dx

    return backward


class ShortWindow(Conv):
    def add(self, dx, window, part):
        part = part.copy()
        part[:, :, -1, :] = 0  # range(k - 1)
        dx[window] += part


IMAGES = numbers(3, 2, 6, 7)


def conv(**methods):
    return type("Wrong", (Conv,), methods)


WRONG = [
    ("windows_not_added", conv(add=assigned)(3, 1, 0), "dx"),
    ("windows_not_added", conv(add=assigned)(3, 2, 1), "dx"),
    ("windows_not_added", type("Wrong", (MaxPool,), {"add": assigned})(3, 1), "dx"),
    ("stride_forgotten", of_stride_1(Conv)(3, 2, 0), "dx"),
    ("stride_forgotten", of_stride_1(AvgPool)(2, 2), "dx"),
    ("averaged_over_space", conv(backward=averaged(lambda dy: dy[:, 0].size))(), "W"),
    ("averaged_over_space", conv(backward=averaged(lambda dy: dy[0, 0].size))(), "W"),
    ("averaged_over_space", conv(bias=lambda s, dy: dy.mean((2, 3)).sum(0))(), "b"),
    ("averaged_over_space", conv(bias=lambda s, dy: dy.mean((0, 2, 3)))(), "b"),
    ("factor_1_n", conv(backward=averaged(len))(), "W"),
    ("padding_not_cropped", conv(cropped=lambda s, dx: dx)(), "dx"),
    ("window_off_by_one", ShortWindow(3, 2, 0), "dx"),
    ("flipped_kernel", conv(add=turned)(), "dx"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "wrong", "array"), WRONG, ids=[f"{i}-{w[0]}" for i, w in enumerate(WRONG)]
)
def test_a_mistake_of_windows_is_named(code, wrong, array):
    report = check_gradients(wrong, IMAGES)
    assert {f.array: f.code for f in report.findings}[array] == code, str(report)


@pytest.mark.parametrize("right", [Conv(), Conv(2, 1, 0), MaxPool(), MaxPool(2, 1)])
def test_right_windows_pass(right):
    assert check_gradients(right, IMAGES).ok


def of_y(function, slope):
    def forward(x):
        y = function(x)
        return y, (x, y)

    return layer(forward, lambda dy, cache: dy * slope(*cache))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def elu(x, alpha=1.3, scale=1.0):
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x):
    return elu(x, 1.6732632, 1.0507010)


DERIVATIVES = [
    (np.tanh, lambda x, y: 1 - y, "1 - y, not 1 - y²"),
    (np.tanh, lambda x, y: 1 + y * y, "1 + y²"),
    (sigmoid, lambda x, y: y * (1 + y), "y (1 + y), not y (1 - y)"),
    (sigmoid, lambda x, y: 1 - y, "1 - y, not y (1 - y)"),
    (lambda x: np.maximum(x, 0), lambda x, y: y, "y, its value, not 1 where x > 0"),
    (elu, lambda x, y: np.where(x > 0, 1, y), "y where x < 0, not alpha e^x"),
    (elu, lambda x, y: np.where(x > 0, 1, np.exp(x)), "e^x where x < 0"),
    (selu, lambda x, y: np.where(x > 0, 1.050701, y), "y where x < 0, not scale alpha"),
    (selu, lambda x, y: np.where(x > 0, 1.050701, 1.6732632 * np.exp(x)), "scale left out below 0"),
]


@pytest.mark.parametrize(("function", "slope", "words"), DERIVATIVES)
def test_a_derivative_that_is_another_is_named(function, slope, words):
    report = check_gradients(of_y(function, slope), X)
    assert [f.code for f in report.findings] == ["wrong_derivative"], str(report)
    assert words in str(report)


def test_softmax_with_the_wrong_sign_or_at_the_input_is_named():
    def softmax(x):
        e = np.exp(x - x.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    def forward(x):
        return softmax(x), (x, softmax(x))

    def added(dy, cache):
        y = cache[1]
        return y * (dy + np.sum(dy * y, 1, keepdims=True))

    def at_the_input(dy, cache):
        x = cache[0]
        return x * (dy - np.sum(dy * x, 1, keepdims=True))

    assert codes(layer(forward, added), X) == {"dx": "sum_added"}
    assert codes(layer(forward, at_the_input), X) == {"dx": "wrong_place"}

    def log_added(dy, y):
        return dy + np.exp(y) * np.sum(dy, 1, keepdims=True)

    log = layer(lambda x: (np.log(softmax(x)), np.log(softmax(x))), log_added)
    assert codes(log, X) == {"dx": "sum_added"}


def test_a_transpose_that_init_kept_is_stale():
    class Kept:
        def __init__(self):
            self.W = numbers(5, 3)
            self.transposed = self.W.T.copy()

        def forward(self, x):
            self.x = x
            return x @ self.W

        def backward(self, dy):
            self.dW = self.x.T @ dy
            return dy @ self.transposed

    report = check_gradients(Kept(), X)
    assert {f.array: f.code for f in report.findings}["dx"] == "stale_params", str(report)


class Recurrent:
    """h_t = tanh(x_t + h_{t-1} U); the outputs are all h, and the last."""

    def __init__(self):
        self.U = numbers(4, 4) / 3

    def forward(self, x):
        h, self.hs = np.zeros((len(x), 4)), []
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] + h @ self.U)
            self.hs.append(h)
        return np.stack(self.hs, 1)

    def backward(self, dy, back=1.0):
        dx, dh, self.dU = np.zeros_like(dy), 0.0, np.zeros_like(self.U)
        for t in reversed(range(dy.shape[1])):
            d = (dy[:, t] + dh) * (1 - self.hs[t] ** 2)
            dx[:, t] = d
            if t:
                self.dU += self.hs[t - 1].T @ d
            dh = back * d @ self.U.T
        return dx


def test_the_gradient_of_recurrent_steps_cut_from_one_another_is_named():
    x = numbers(3, 5, 4)
    assert check_gradients(Recurrent(), x).ok
    cut = type("Cut", (Recurrent,), {"backward": lambda s, dy: Recurrent.backward(s, dy, 0.0)})()
    assert codes(cut, x)["dx"] == "time_cut"


def test_an_output_whose_gradient_is_left_out_is_named():
    class State(Recurrent):
        def forward(self, x):
            y = super().forward(x)
            return y, y[:, -1] * 2

        def backward(self, dy, dstate):
            return super().backward(dy)

    found = codes(State(), numbers(3, 5, 4))
    assert set(found.values()) == {"output_ignored"}
