"""Index by index."""

import numpy as np


class MatMul:
    def forward(self, A, B):
        self.A, self.B = A, B
        return np.einsum("mn,np->mp", A, B)

    def backward(self, dY):
        return np.einsum("mp,np->mn", dY, self.B), np.einsum("mn,mp->np", self.A, dY)
