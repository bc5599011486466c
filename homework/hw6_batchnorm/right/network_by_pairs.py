"""Pairs of sizes; the modes in a helper."""

import numpy as np


class Network:
    def __init__(self, sizes, rng=None):
        rng, blocks = np.random.default_rng(rng), []
        for before, size in enumerate(sizes[1:-1]):
            blocks += [Linear(sizes[before], size, rng), BatchNorm(size), ReLU()]
        self.layers = [*blocks, Linear(sizes[-2], sizes[-1], rng)]
        self.training = True

    def switch(self, training):
        self.training = training
        for layer in self.layers:
            layer.training = training

    def train(self):
        self.switch(True)

    def eval(self):
        self.switch(False)
