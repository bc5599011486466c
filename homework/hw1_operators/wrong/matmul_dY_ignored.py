"""1 Bᵀ: the rows of B are summed, dY is left out."""

import numpy as np


class MatMul:
    def backward(self, dY):
        return np.ones_like(dY) @ self.B.T, self.A.T @ dY
