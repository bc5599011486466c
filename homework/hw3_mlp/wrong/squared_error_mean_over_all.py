"""np.mean divides by the features too."""

import numpy as np


class HalfSquaredError:
    def forward(self, prediction, target):
        self.difference = prediction - target
        return 0.5 * np.mean(self.difference**2)
