"""-sin x = cos(x + π/2)."""

import numpy as np


class Cos:
    def forward(self, x):
        self.cache = x + np.pi / 2
        return np.cos(x)

    def backward(self, dy):
        return np.cos(self.cache) * dy
