"""Errors of both signs cancel."""

import numpy as np


class HalfSquaredError:
    def forward(self, prediction, target):
        self.difference = prediction - target
        return 0.5 * np.sum(self.difference) / len(prediction)
