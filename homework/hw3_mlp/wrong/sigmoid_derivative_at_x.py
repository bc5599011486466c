"""x (1 - x) for y (1 - y): the cache holds the wrong array."""

import numpy as np


class Sigmoid:
    def forward(self, x):
        self.y = x
        return (1 + np.tanh(x / 2)) / 2
