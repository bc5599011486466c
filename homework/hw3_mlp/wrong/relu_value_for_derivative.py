"""dy · y: the value where the derivative belongs."""

import numpy as np


class ReLU:
    def forward(self, x):
        self.y = np.maximum(x, 0)
        return self.y

    def backward(self, dy):
        return dy * self.y
