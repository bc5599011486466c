"""‖x - t‖² without the half."""

import numpy as np


class HalfSquaredError:
    def forward(self, prediction, target):
        self.difference = prediction - target
        return np.sum(self.difference**2) / len(prediction)
