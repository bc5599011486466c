"""A sum of outer products, one for each column of A and row of B."""

import numpy as np


class MatMul:
    def forward(self, A, B):
        self.A, self.B = A, B
        return sum(np.outer(column, row) for column, row in zip(A.T, B, strict=True))

    def backward(self, dY):
        return np.dot(self.B, dY.T).T, np.dot(dY.T, self.A).T
