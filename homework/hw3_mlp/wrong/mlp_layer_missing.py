"""One Linear too few: a range that ends too early."""

import numpy as np


class MLP:
    def __init__(self, sizes, rng=None):
        rng = np.random.default_rng(rng)
        self.layers = []
        for i in range(len(sizes) - 2):
            self.layers += [Linear(sizes[i], sizes[i + 1], rng), ReLU()]
