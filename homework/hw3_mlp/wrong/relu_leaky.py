"""A slope of 0.01 for negative x: another function."""

import numpy as np


class ReLU:
    def forward(self, x):
        self.positive = x > 0
        return np.where(x > 0, x, 0.01 * x)
