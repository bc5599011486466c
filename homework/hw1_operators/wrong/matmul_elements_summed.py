"""The printed formula: the gradient of an element is a column's sum."""

import numpy as np


class MatMul:
    def backward(self, dY):
        return np.repeat(
            (dY * self.B.sum(axis=0)).sum(axis=1, keepdims=True), len(self.B), axis=1
        ), self.A.T @ dY
