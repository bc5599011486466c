"""A ReLU behind every Linear, the last one too."""

import numpy as np


class MLP:
    def __init__(self, sizes, rng=None):
        rng = np.random.default_rng(rng)
        self.layers = []
        for i in range(len(sizes) - 1):
            self.layers += [Linear(sizes[i], sizes[i + 1], rng), ReLU()]
