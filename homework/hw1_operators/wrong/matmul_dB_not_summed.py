"""One dB for each row of A."""

import numpy as np


class MatMul:
    def backward(self, dY):
        return dY @ self.B.T, np.einsum("mn,mp->mnp", self.A, dY)
