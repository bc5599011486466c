"""2 σ(x) - 1 is tanh(x/2)."""

import numpy as np


class Tanh:
    def forward(self, x):
        self.y = 2 / (1 + np.exp(-x)) - 1
        return self.y
