"""The first output is kept for good."""

import numpy as np


class Sigmoid:
    def forward(self, x):
        y = (1 + np.tanh(x / 2)) / 2
        if not hasattr(self, "y"):
            self.y = y
        return y
