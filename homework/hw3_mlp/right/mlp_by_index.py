"""Indices, and a list that also keeps what passes between the layers."""

import numpy as np


class MLP:
    def __init__(self, sizes, rng=None):
        rng = np.random.default_rng(rng)
        self.layers = [Linear(sizes[0], sizes[1], rng)]
        for i in range(1, len(sizes) - 1):
            self.layers.append(ReLU())
            self.layers.append(Linear(sizes[i], sizes[i + 1], rng))

    def forward(self, x):
        self.values = [x]
        for layer in self.layers:
            self.values.append(layer.forward(self.values[-1]))
        return self.values[-1]

    def backward(self, dy):
        for i in range(len(self.layers) - 1, -1, -1):
            dy = self.layers[i].backward(dy)
        return dy
