"""From e^(-2|x|), with the derivative as (1 - y)(1 + y)."""

import numpy as np


class Tanh:
    def forward(self, x):
        small = np.exp(-2 * np.abs(x))
        self.y = np.sign(x) * (1 - small) / (1 + small)
        return self.y

    def backward(self, dy):
        return dy * (1 - self.y) * (1 + self.y)
