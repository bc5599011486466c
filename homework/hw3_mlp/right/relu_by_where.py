"""np.where twice."""

import numpy as np


class ReLU:
    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, 0.0)

    def backward(self, dy):
        return np.where(self.x > 0, dy, 0.0)
