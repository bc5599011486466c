"""x >= 0: the gradient is passed at 0."""

import numpy as np


class ReLU:
    def forward(self, x):
        self.positive = x >= 0
        return np.maximum(x, 0)
