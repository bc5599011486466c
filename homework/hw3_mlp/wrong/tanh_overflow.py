"""The definition as it stands: inf / inf for large x."""

import numpy as np


class Tanh:
    def forward(self, x):
        self.y = (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
        return self.y
