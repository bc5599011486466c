"""A multilayer perceptron: layers, losses, the network and its optimizer."""

import numpy as np


class Layer:
    """What all layers have: parameters and their gradients, under the same names."""

    def __init__(self):
        self.params = {}
        self.grads = {}


class Linear(Layer):
    """y = x Wᵀ + b."""

    def __init__(self, in_features, out_features, rng=None):
        super().__init__()
        rng = np.random.default_rng(rng)
        limit = np.sqrt(6 / (in_features + out_features))
        self.params["W"] = rng.uniform(-limit, limit, (out_features, in_features))
        self.params["b"] = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.params["W"].T + self.params["b"]

    def backward(self, dy):
        # (out, batch) @ (batch, in): the product itself sums over the samples
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]


class Sigmoid(Layer):
    """y = 1 / (1 + e⁻ˣ)."""

    def forward(self, x):
        # tanh never overflows, and σ(x) = (1 + tanh(x/2)) / 2
        self.y = (1 + np.tanh(x / 2)) / 2
        return self.y

    def backward(self, dy):
        return dy * self.y * (1 - self.y)


class Tanh(Layer):
    """y = tanh x."""

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y**2)


class ReLU(Layer):
    """y = max(x, 0)."""

    def forward(self, x):
        self.positive = x > 0
        return np.maximum(x, 0)

    def backward(self, dy):
        return dy * self.positive


class HalfSquaredError:
    """Half the squared distance of a sample to its target, averaged over the samples."""

    def forward(self, prediction, target):
        self.difference = prediction - target
        return 0.5 * np.sum(self.difference**2) / len(prediction)

    def backward(self):
        return self.difference / len(self.difference)


class SoftmaxCrossEntropy:
    """-log softmax(logits) at the label, averaged over the samples."""

    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)  # no exponent above 0
        log_sums = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.log_probabilities = shifted - log_sums
        self.rows, self.labels = np.arange(len(labels)), labels
        return -np.mean(self.log_probabilities[self.rows, self.labels])

    def backward(self):
        dlogits = np.exp(self.log_probabilities)
        dlogits[self.rows, self.labels] -= 1
        return dlogits / len(dlogits)


class MLP:
    """Linear, ReLU, Linear, ReLU, ..., Linear."""

    def __init__(self, sizes, rng=None):
        rng = np.random.default_rng(rng)
        self.layers = []
        for i in range(len(sizes) - 1):
            if i > 0:
                self.layers.append(ReLU())
            self.layers.append(Linear(sizes[i], sizes[i + 1], rng))

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


class SGD:
    """v = momentum · v + g; w = w - learning_rate · v."""

    def __init__(self, layers, learning_rate=0.1, momentum=0.0):
        self.layers = layers
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocities = [
            {name: np.zeros_like(array) for name, array in layer.params.items()} for layer in layers
        ]

    def step(self):
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                velocity[name] = self.momentum * velocity[name] + gradient
                layer.params[name] -= self.learning_rate * velocity[name]
