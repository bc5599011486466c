"""Layers and losses as students write them, all of them right. `mistakes.py` breaks them."""

import numpy as np


def draw(*shape):
    return np.random.default_rng(1).normal(size=shape)


class Linear:
    def __init__(self):
        self.W, self.b = draw(3, 5), draw(3)

    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, dy):
        self.dW = dy.T @ self.x
        self.db = dy.sum(axis=0)
        return dy @ self.W


class Trains:
    """A linear map whose backward takes the step as well."""

    def __init__(self):
        self.W = draw(3, 5)

    def forward(self, x):
        self.x = x
        return x @ self.W.T

    def backward(self, dy, learning_rate):
        dx = dy @ self.W
        self.W -= learning_rate * dy.T @ self.x
        return dx


class TrainsByAdam:
    """W is changed by backward itself, by Adam."""

    def __init__(self):
        self.rate, self.beta1, self.beta2 = 0.1, 0.9, 0.999
        self.W, self.m, self.v, self.t = draw(3, 5), 0.0, 0.0, 0

    def forward(self, x):
        self.x = x
        return x @ self.W.T

    def backward(self, dy):
        dx, g = dy @ self.W, dy.T @ self.x
        self.t += 1
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g**2
        m = self.m / (1 - self.beta1**self.t)
        v = self.v / (1 - self.beta2**self.t)
        self.W = self.W - self.rate * m / (np.sqrt(v) + 1e-8)
        return dx


class ReLU:
    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * (self.x > 0)


class Tanh:
    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


class Sigmoid:
    def forward(self, x):
        self.x = x
        return np.exp(-np.logaddexp(0, -x))

    def backward(self, dy):
        y = np.exp(-np.logaddexp(0, -self.x))
        return dy * y * (1 - y)


class Shortcut:
    """y = x + tanh x."""

    def forward(self, x):
        self.f = np.tanh(x)
        return x + self.f

    def backward(self, dy):
        return dy + dy * (1 - self.f**2)


class Cos:
    def forward(self, x):
        self.x = x
        return np.cos(3 * x)

    def backward(self, dy):
        return -3 * dy * np.sin(3 * self.x)


class Square:
    def forward(self, x):
        self.x = x
        return x**2

    def backward(self, dy):
        return 2 * self.x * dy


class Log:
    """y = log(x² + 1), through z = x² + 1."""

    def forward(self, z):
        self.z = z
        return np.log(z)

    def backward(self, dy):
        return dy / self.z


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return self.y

    def backward(self, dy):
        y = self.y
        return y * (dy - (dy * y).sum(axis=1, keepdims=True))


class Max:
    """The largest number of each row."""

    def forward(self, x):
        self.x = x
        return x.max(axis=1)

    def backward(self, dy):
        dx = np.zeros_like(self.x)
        dx[np.arange(len(dx)), self.x.argmax(axis=1)] = dy
        return dx


class Mul:
    def forward(self, u, v):
        self.u, self.v = u, v
        return u * v

    def backward(self, dy):
        return dy * self.v, dy * self.u


class Shift:
    """y = u + v, where v is one column for all columns of u."""

    def forward(self, u, v):
        return u + v

    def backward(self, dy):
        return dy, dy.sum(axis=1, keepdims=True)


class MatMul:
    def forward(self, A, B):
        self.A, self.B = A, B
        return A @ B

    def backward(self, dy):
        return dy @ self.B.T, self.A.T @ dy


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class Transpose:
    def forward(self, x):
        return x.T

    def backward(self, dy):
        return dy.T


class Embedding:
    def __init__(self):
        self.W = draw(9, 4)

    def forward(self, index):
        self.index = index
        return self.W[index]

    def backward(self, dy):
        self.dW = np.zeros_like(self.W)
        np.add.at(self.dW, self.index, dy)


class Conv1d:
    """Kernels of 3 numbers over (batch, channels, length), stride 2, one 0 at either end."""

    stride, padding = 2, 1

    def __init__(self):
        self.W, self.b = draw(4, 2, 3), draw(4)

    def forward(self, x):
        self.x = np.pad(x, ((0, 0), (0, 0), (self.padding, self.padding)))
        self.count = (self.x.shape[2] - 3) // self.stride + 1
        y = np.empty((len(x), 4, self.count))
        for i in range(self.count):
            t = i * self.stride
            window = self.x[:, :, t : t + 3]
            y[:, :, i] = np.einsum("nck,ock->no", window, self.W) + self.b
        return y

    def backward(self, dy):
        dx, self.dW = np.zeros_like(self.x), np.zeros_like(self.W)
        self.db = dy.sum(axis=(0, 2))
        for i in range(self.count):
            t = i * self.stride
            window = self.x[:, :, t : t + 3]
            self.dW += np.einsum("no,nck->ock", dy[:, :, i], window)
            dx[:, :, t : t + 3] += np.einsum("no,ock->nck", dy[:, :, i], self.W)
        return dx[:, :, self.padding : -self.padding]


class AvgPool:
    """Means of three neighbours, two steps apart, over (batch, channels, length)."""

    def forward(self, x):
        self.shape, self.starts = x.shape, range(0, x.shape[2] - 2, 2)
        return np.stack([x[:, :, t : t + 3].mean(axis=2) for t in self.starts], axis=2)

    def backward(self, dy):
        dx = np.zeros(self.shape)
        for i, t in enumerate(self.starts):
            dx[:, :, t : t + 3] += dy[:, :, i : i + 1] / 3
        return dx


class BatchNorm:
    def __init__(self):
        self.gamma, self.beta = 1 + draw(5) ** 2, draw(5)

    def forward(self, x):
        self.deviation = np.sqrt(x.var(axis=0) + 1e-5)
        self.x_hat = (x - x.mean(axis=0)) / self.deviation
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy):
        self.dgamma, self.dbeta = (dy * self.x_hat).sum(axis=0), dy.sum(axis=0)
        g = dy * self.gamma
        through_mean = g.mean(axis=0)
        through_variance = self.x_hat * (g * self.x_hat).mean(axis=0)
        return (g - through_mean - through_variance) / self.deviation


class LayerNorm:
    """Each sample apart."""

    def __init__(self):
        self.gamma, self.beta = 1 + draw(5) ** 2, draw(5)

    def forward(self, x):
        self.deviation = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        self.x_hat = (x - x.mean(axis=1, keepdims=True)) / self.deviation
        return self.gamma * self.x_hat + self.beta

    def backward(self, dy):
        self.dgamma, self.dbeta = (dy * self.x_hat).sum(axis=0), dy.sum(axis=0)
        g = dy * self.gamma
        through_variance = self.x_hat * (g * self.x_hat).mean(axis=1, keepdims=True)
        g = g - g.mean(axis=1, keepdims=True) - through_variance
        return g / self.deviation


class RNN:
    """h_t = tanh(W_x x_t + W_h h_{t-1}) over (batch, time, 3)."""

    def __init__(self):
        self.W_x, self.W_h = draw(4, 3), draw(4, 4)

    def forward(self, x):
        self.x, h = x, np.zeros((len(x), 4))
        self.states = [h]
        for t in range(x.shape[1]):
            h = np.tanh(x[:, t] @ self.W_x.T + h @ self.W_h.T)
            self.states.append(h)
        return np.stack(self.states[1:], axis=1)

    def backward(self, dy):
        dx, dh = np.zeros_like(self.x), 0
        self.dW_x, self.dW_h = np.zeros_like(self.W_x), np.zeros_like(self.W_h)
        for t in reversed(range(dy.shape[1])):
            dz = (dy[:, t] + dh) * (1 - self.states[t + 1] ** 2)
            self.dW_x += dz.T @ self.x[:, t]
            self.dW_h += dz.T @ self.states[t]
            dx[:, t], dh = dz @ self.W_x, dz @ self.W_h
        return dx


class Gates:
    """Three parts of W x: y = s(a) tanh(b) + c, with s the sigmoid."""

    def __init__(self):
        self.W = draw(12, 5)

    def forward(self, x):
        a, b, c = np.split(x @ self.W.T, 3, axis=1)
        self.x, self.s, self.t = x, 1 / (1 + np.exp(-a)), np.tanh(b)
        return self.s * self.t + c

    def backward(self, dy):
        da = dy * self.t * self.s * (1 - self.s)
        db = dy * self.s * (1 - self.t**2)
        dz = np.concatenate([da, db, dy], axis=1)
        self.dW = dz.T @ self.x
        return dz @ self.W


class Both:
    """Two outputs: the sine and the square."""

    def forward(self, x):
        self.x = x
        return np.sin(x), x**2

    def backward(self, dsine, dsquare):
        return dsine * np.cos(self.x) + dsquare * 2 * self.x


class MeanSquaredError:
    def forward(self, prediction, target):
        self.difference = prediction - target
        return (self.difference**2).sum() / 2 / len(prediction)

    def backward(self):
        return self.difference / len(self.difference)


class SoftmaxCrossEntropy:
    """The mean over the samples of -log p of the right class."""

    def forward(self, x, labels):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.x, self.p, self.target = x, e / e.sum(axis=1, keepdims=True), np.eye(5)[labels]
        return -np.log(self.p[np.arange(len(x)), labels]).mean()

    def backward(self):
        return (self.p - self.target) / len(self.p)
