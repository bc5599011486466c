"""1 - x² for 1 - y²: the cache holds the wrong array."""

import numpy as np


class Tanh:
    def forward(self, x):
        self.y = x
        return np.tanh(x)
