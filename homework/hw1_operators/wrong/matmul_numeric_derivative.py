"""Differences of forward in place of a formula: two calls for every element."""

import numpy as np


class MatMul:
    def backward(self, dY):
        A, B = self.A, self.B
        dA = numeric_gradient(lambda moved: np.sum(dY * (moved @ B)), A)
        dB = numeric_gradient(lambda moved: np.sum(dY * (A @ moved)), B)
        return dA, dB
