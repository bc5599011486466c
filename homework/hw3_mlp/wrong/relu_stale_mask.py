"""The first mask is kept for good."""

import numpy as np


class ReLU:
    def forward(self, x):
        if not hasattr(self, "positive") or self.positive.shape != x.shape:
            self.positive = x > 0
        return np.maximum(x, 0)
