"""Objects with forward and backward as other courses write them, for the gradient checker."""

import numpy as np

import nnscratch as nn
from nnscratch.gradient_check import check_gradients


def numbers(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.4, 1.6, shape) * rng.choice([-1, 1], shape)


X = numbers(7, 5)


def verdicts(report):
    return {finding.array: (finding.verdict, finding.code) for finding in report.findings}


def codes(layer, *inputs, **options):
    report = check_gradients(layer, *inputs, **options)
    return {finding.array: finding.code for finding in report.findings if finding.verdict == "fail"}


def layer(forward, backward):
    """A layer of two functions: (y, cache) of the inputs, dx of dy and the cache."""

    class Given(nn.Layer):
        def forward_pass(self, *inputs):
            return forward(*inputs)

        def backward_pass(self, dy, cache):
            return backward(dy, cache)

    return Given()


# Objects of other courses ------------------------------------------------------------------


class Affine:
    """CS231n: a tuple in the order of params."""

    def __init__(self):
        self.params = {"W": numbers(5, 3).astype(np.float32), "b": np.zeros(3, np.float32)}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dy):
        return dy @ self.params["W"].T, self.x.T @ dy, dy.sum(0)


class Bare:
    """The same with attributes, in no particular order."""

    def __init__(self):
        self.b, self.W = np.zeros(3), numbers(5, 3)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        return dy @ self.W.T, self.x.T @ dy, dy.sum(0)


class Mytorch:
    """CMU: gradients are left on the object."""

    def __init__(self, n=5, m=3):
        self.W, self.b = numbers(m, n), numbers(m, 1)

    def forward(self, A):
        self.A = A
        return A @ self.W.T + self.b.T

    def backward(self, dLdZ):
        self.dLdW = dLdZ.T @ self.A
        self.dLdb = dLdZ.sum(0)[:, None]
        return dLdZ @ self.W


class Sigmoid:
    def forward(self, Z):
        self.A = 1 / (1 + np.exp(-Z))
        return self.A

    def backward(self, dLdA):
        return dLdA * self.A * (1 - self.A)


class Stack:
    """CMU: a list of layers, called one after the other."""

    def __init__(self):
        self.layers = [Mytorch(5, 4), Sigmoid(), Mytorch(4, 3)]

    def forward(self, A):
        for inner in self.layers:
            A = inner.forward(A)
        return A

    def backward(self, dLdA):
        for inner in reversed(self.layers):
            dLdA = inner.backward(dLdA)
        return dLdA


class ListOfParams:
    """Deep Learning from Scratch: params and grads are lists."""

    def __init__(self):
        self.params = [numbers(5, 3), numbers(3)]
        self.grads = [np.zeros((5, 3)), np.zeros(3)]

    def forward(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(0)
        return dout @ self.params[0].T


class DictOfGrads(Affine):
    def backward(self, dy):
        dx, dW, db = super().backward(dy)
        return dx, {"dW": dW, "db": db}


class Functional:
    """out, cache = forward(x); dx = backward(dout, cache)."""

    def forward(self, x):
        return np.tanh(x), x

    def backward(self, dout, cache):
        return dout * (1 - np.tanh(cache) ** 2)


class MeanSquares:
    """A loss whose backward takes no dy."""

    def forward(self, A, Y):
        self.A, self.Y = A, Y
        return np.mean((A - Y) ** 2)

    def backward(self):
        return 2 * (self.A - self.Y) / self.A.size


class CrossEntropy:
    scale = 1.0

    def forward(self, A, labels):
        e = np.exp(A - A.max(1, keepdims=True))
        self.p, self.labels = e / e.sum(1, keepdims=True), labels
        return float(-np.log(self.p[np.arange(len(A)), labels]).mean())

    def backward(self):
        dA = self.p.copy()
        dA[np.arange(len(dA)), self.labels] -= 1
        return dA / (len(dA) if self.scale else 1)


class Embedding:
    def __init__(self):
        self.params = {"W": numbers(9, 4)}

    def forward(self, index):
        self.index = index
        return self.params["W"][index]

    def backward(self, dy):
        dW = np.zeros_like(self.params["W"])
        np.add.at(dW, self.index, dy)
        return None, {"W": dW}


class Float32Sine:
    def forward(self, x):
        self.x = np.asarray(x, np.float32)
        return np.sin(self.x)

    def backward(self, dy):
        return dy * np.cos(self.x)


class BatchNorm:
    def __init__(self):
        self.training = True
        self.params = {"gamma": np.ones(5), "beta": np.zeros(5)}
        self.mean, self.var = np.zeros(5), np.ones(5)

    def forward(self, x):
        mean, var = self.mean, self.var
        if self.training:
            mean, var = x.mean(0), x.var(0)
            self.mean, self.var = 0.9 * self.mean + 0.1 * mean, 0.9 * self.var + 0.1 * var
        self.deviation = np.sqrt(var + 1e-5)
        self.normal = (x - mean) / self.deviation
        return self.params["gamma"] * self.normal + self.params["beta"]

    def backward(self, dy):
        g = dy * self.params["gamma"]
        grads = {"gamma": (dy * self.normal).sum(0), "beta": dy.sum(0)}
        if self.evaluates():
            return g / self.deviation, grads
        through = g.mean(0) + self.normal * (g * self.normal).mean(0)
        return (g - through) / self.deviation, grads

    def evaluates(self):
        return not self.training


def changed(cls, **methods):
    return type(cls.__name__, (cls,), methods)()


def linear(**methods):
    return type("Wrong", (nn.Linear,), methods)(5, 3, rng=0)


class Plain:
    pass
