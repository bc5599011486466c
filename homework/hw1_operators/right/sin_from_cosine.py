"""sin x = cos(x - π/2)."""

import numpy as np


class Sin:
    def forward(self, x):
        self.slope = np.cos(x)
        return np.cos(x - np.pi / 2)

    def backward(self, dy):
        return self.slope * dy
