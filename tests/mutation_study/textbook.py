"""Layers as students write them, by loops, and the mistakes that teachers see in them.

`PLANTED` lists (code, build, inputs, array): an object with one mistake, and the name it deserves.
"""

import numpy as np

from tests.checked_objects import layer, numbers


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


class Cut(Recurrent):
    def backward(self, dy):
        return super().backward(dy, 0.0)


class State(Recurrent):
    """The state of the last step is an output too, and backward forgets it."""

    def forward(self, x):
        y = super().forward(x)
        return y, y[:, -1] * 2

    def backward(self, dy, dstate):
        return super().backward(dy)


class Gates:
    """y = sigmoid(i) tanh(c) sigmoid(o) of x W', whose rows hold three gates."""

    order = (0, 1, 2)

    def __init__(self):
        self.W = numbers(12, 5, seed=4)

    def forward(self, x):
        self.x = x
        self.i, self.c, self.o = np.split(x @ self.W.T, 3, 1)
        return sigmoid(self.i) * np.tanh(self.c) * sigmoid(self.o)

    def backward(self, dy):
        i, c, o = sigmoid(self.i), np.tanh(self.c), sigmoid(self.o)
        parts = [dy * i * (1 - i) * c * o, dy * i * (1 - c * c) * o, dy * i * c * o * (1 - o)]
        dz = np.concatenate(parts, 1)
        self.dW = np.concatenate([parts[k] for k in self.order], 1).T @ self.x
        return dz @ self.W


class Exchanged(Gates):
    order = (0, 2, 1)


class Kept:
    """The transpose of W is made once, in `__init__`."""

    def __init__(self):
        self.W = numbers(5, 3)
        self.transposed = self.W.T.copy()

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dy):
        self.dW = self.x.T @ dy
        return dy @ self.transposed


class Early:
    """The weights are changed before dx is computed."""

    def __init__(self):
        self.W = numbers(5, 3)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dy, learning_rate):
        self.W -= learning_rate * self.x.T @ dy
        return dy @ self.W.T


class EveryMaximum:
    def forward(self, x):
        self.x = x
        return x.max(1)

    def backward(self, dy):
        return dy[:, None] * (self.x == self.x.max(1, keepdims=True))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def elu(x, alpha=1.3, scale=1.0):
    return scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def selu(x):
    return elu(x, 1.6732632, 1.0507010)


def of_y(function, backward):
    """A layer of a function and dx by (dy, x, y)."""

    def forward(x):
        y = function(x)
        return y, (x, y)

    return lambda: layer(forward, lambda dy, cache: backward(dy, *cache))


def conv(*args, **methods):
    return lambda: type("Wrong", (Conv,), methods)(*args)


def images(rng):
    return (rng.uniform(0.4, 1.6, (3, 2, 6, 7)) * rng.choice([-1, 1], (3, 2, 6, 7)),)


def rows(rng):
    return (rng.uniform(0.4, 1.6, (7, 5)) * rng.choice([-1, 1], (7, 5)),)


def steps(rng):
    return (rng.uniform(0.4, 1.6, (3, 5, 4)) * rng.choice([-1, 1], (3, 5, 4)),)


def tied(rng):
    return (rng.integers(0, 3, (7, 5)).astype(float),)


def summed(y, dy):
    return np.sum(dy * y, 1, keepdims=True)


PLANTED = [
    ("windows_not_added", conv(3, 1, 0, add=assigned), images, "dx"),
    ("windows_not_added", conv(3, 2, 1, add=assigned), images, "dx"),
    ("windows_not_added", lambda: type("Wrong", (MaxPool,), {"add": assigned})(3, 1), images, "dx"),
    ("stride_forgotten", lambda: of_stride_1(Conv)(3, 2, 0), images, "dx"),
    ("stride_forgotten", lambda: of_stride_1(AvgPool)(2, 2), images, "dx"),
    ("averaged_over_space", conv(backward=averaged(lambda dy: dy[:, 0].size)), images, "W"),
    ("averaged_over_space", conv(backward=averaged(lambda dy: dy[0, 0].size)), images, "W"),
    ("averaged_over_space", conv(bias=lambda s, dy: dy.mean((2, 3)).sum(0)), images, "b"),
    ("averaged_over_space", conv(bias=lambda s, dy: dy.mean((0, 2, 3))), images, "b"),
    ("factor_1_n", conv(backward=averaged(len)), images, "W"),
    ("padding_not_cropped", conv(cropped=lambda s, dx: dx), images, "dx"),
    ("window_off_by_one", lambda: ShortWindow(3, 2, 0), images, "dx"),
    ("flipped_kernel", conv(add=turned), images, "dx"),
    ("time_cut", Cut, steps, "dx"),
    ("time_cut", Cut, steps, "U"),
    ("output_ignored", State, steps, "dx"),
    ("output_ignored", State, steps, "U"),
    ("gates_exchanged", Exchanged, rows, "W"),
    ("stale_params", Kept, rows, "dx"),
    ("updated_too_early", Early, rows, "dx"),
    ("every_maximum", EveryMaximum, tied, "dx"),
    ("sum_added", of_y(softmax, lambda dy, x, y: y * (dy + summed(y, dy))), rows, "dx"),
    ("wrong_place", of_y(softmax, lambda dy, x, y: x * (dy - summed(x, dy))), rows, "dx"),
    (
        "sum_added",
        of_y(
            lambda x: np.log(softmax(x)),
            lambda dy, x, y: dy + np.exp(y) * np.sum(dy, 1, keepdims=True),
        ),
        rows,
        "dx",
    ),
    *(
        (
            "wrong_derivative",
            of_y(function, lambda dy, x, y, slope=slope: dy * slope(x, y)),
            rows,
            "dx",
        )
        for function, slope in (
            (np.tanh, lambda x, y: 1 - y),
            (np.tanh, lambda x, y: 1 + y * y),
            (sigmoid, lambda x, y: y * (1 + y)),
            (sigmoid, lambda x, y: 1 - y),
            (lambda x: np.maximum(x, 0), lambda x, y: y),
            (elu, lambda x, y: np.where(x > 0, 1, y)),
            (elu, lambda x, y: np.where(x > 0, 1, np.exp(x))),
            (selu, lambda x, y: np.where(x > 0, 1.050701, y)),
            (selu, lambda x, y: np.where(x > 0, 1.050701, 1.6732632 * np.exp(x))),
        )
    ),
]
RIGHT = [
    (Conv, images),
    (lambda: Conv(2, 1, 0), images),
    (MaxPool, images),
    (lambda: MaxPool(2, 1), images),
    (lambda: AvgPool(3, 2), images),
    (Recurrent, steps),
    (Gates, rows),
]
