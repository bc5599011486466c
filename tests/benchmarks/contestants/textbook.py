"""Plain NumPy as a student writes it after a textbook: a class per layer, a dict per optimizer.

Convolutions are im2col: every patch is copied into a row of one matrix. Nothing is written into
arrays that exist already, and the first layer computes its dx too.
"""

import numpy as np

from tests.benchmarks.nets import BETA1, BETA2, EPSILON, LEARNING_RATE, MOMENTUM, orders


class Linear:
    def __init__(self, W, b):
        self.params = [W.T.copy(), b.copy()]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return x @ W + b

    def backward(self, dy):
        W, _ = self.params
        self.grads = [self.x.T @ dy, dy.sum(axis=0)]
        return dy @ W.T


class Conv:
    def __init__(self, W, b, padding):
        self.params, self.padding = [W.copy(), b.copy()], padding

    def forward(self, x):
        (W, b), p = self.params, self.padding
        k = W.shape[2]
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), (2, 3))
        n, c, h, w = windows.shape[:4]
        self.shape = padded.shape
        self.columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(n * h * w, c * k * k)
        y = self.columns @ W.reshape(len(W), -1).T + b
        return y.reshape(n, h, w, len(W)).transpose(0, 3, 1, 2)

    def backward(self, dy):
        (W, _), p = self.params, self.padding
        n, out_channels, h, w = dy.shape
        k = W.shape[2]
        rows = dy.transpose(0, 2, 3, 1).reshape(-1, out_channels)
        self.grads = [(rows.T @ self.columns).reshape(W.shape), rows.sum(axis=0)]
        patches = (rows @ W.reshape(out_channels, -1)).reshape(n, h, w, -1, k, k)
        dx = np.zeros(self.shape, dy.dtype)
        for i in range(k):
            for j in range(k):
                dx[:, :, i : i + h, j : j + w] += patches[..., i, j].transpose(0, 3, 1, 2)
        return dx[:, :, p : self.shape[2] - p, p : self.shape[3] - p]


class ReLU:
    params = grads = ()

    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class Pool:
    params = grads = ()

    def forward(self, x):
        n, c, h, w = x.shape
        windows = x.reshape(n, c, h // 2, 2, w // 2, 2)
        y = windows.max(axis=(3, 5))
        self.mask = windows == y[:, :, :, None, :, None]
        return y

    def backward(self, dy):
        n, c, h, w = dy.shape
        return (self.mask * dy[:, :, :, None, :, None]).reshape(n, c, 2 * h, 2 * w)


class Flatten:
    params = grads = ()

    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class SGD:
    def __init__(self, params, rate):
        self.rate = rate
        self.velocities = [np.zeros_like(w) for w in params]

    def step(self, params, grads):
        for i, (w, g) in enumerate(zip(params, grads, strict=True)):
            self.velocities[i] = MOMENTUM * self.velocities[i] + g
            w -= self.rate * self.velocities[i]


class Adam:
    def __init__(self, params, rate):
        self.rate, self.steps = rate, 0
        self.means = [np.zeros_like(w) for w in params]
        self.squares = [np.zeros_like(w) for w in params]

    def step(self, params, grads):
        self.steps += 1
        for i, (w, g) in enumerate(zip(params, grads, strict=True)):
            self.means[i] = BETA1 * self.means[i] + (1 - BETA1) * g
            self.squares[i] = BETA2 * self.squares[i] + (1 - BETA2) * g**2
            mean = self.means[i] / (1 - BETA1**self.steps)
            square = self.squares[i] / (1 - BETA2**self.steps)
            w -= self.rate * mean / (np.sqrt(square) + EPSILON)


def cross_entropy(logits, y):
    """The mean loss, and its gradient by the logits."""
    e = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    value = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    return value, p / len(y)


def textbook(case, x, y, weights):
    left = iter(weights)
    layers = []
    for kind, *sizes in case.net.layers:
        if kind == "linear":
            layers.append(Linear(*next(left)))
        elif kind == "conv":
            layers.append(Conv(*next(left), padding=sizes[3]))
        else:
            layers.append({"relu": ReLU, "pool": Pool, "flatten": Flatten}[kind]())
    params = [w for layer in layers for w in layer.params]
    optimizer = (SGD if case.rule == "sgd" else Adam)(params, LEARNING_RATE[case.rule])

    def train(samples, epochs):
        for order in orders(samples, epochs):
            total = right = 0.0
            for start in range(0, samples, case.batch_size):
                rows = order[start : start + case.batch_size]
                logits, labels = x[rows], y[rows]
                for layer in layers:
                    logits = layer.forward(logits)
                value, dy = cross_entropy(logits, labels)
                for layer in reversed(layers):
                    dy = layer.backward(dy)
                optimizer.step(params, [g for layer in layers for g in layer.grads])
                total += value * len(rows)
                right += (logits.argmax(axis=1) == labels).sum()
        return total / samples

    return train
