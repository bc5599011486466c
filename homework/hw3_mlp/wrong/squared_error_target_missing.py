"""The gradient is x / N."""

import numpy as np


class HalfSquaredError:
    def forward(self, prediction, target):
        self.difference = prediction
        return 0.5 * np.sum((prediction - target) ** 2) / len(prediction)
