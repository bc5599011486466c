"""σ'(y) for σ'(x): the sigmoid is applied to its own output."""

import numpy as np


class Sigmoid:
    def backward(self, dy):
        return dy * (s := 1 / (1 + np.exp(-self.y))) * (1 - s)
