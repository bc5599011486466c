"""Differentiates by imaginary steps, several elements in one forward as a larger batch.

row: a numeric derivative instead of a backward
stopped by: CPU time|MemoryError|exit status
item: linear
limits: cpu=1
"""

import numpy as np


class Linear:
    def __init__(self, in_features, out_features):
        self.W = np.zeros((out_features, in_features))
        self.b = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, dy):
        x, W = self.x, self.W.astype(complex)
        dx, self.dW = np.zeros_like(x), np.zeros_like(self.W)
        for column in range(x.shape[1]):
            moved = np.repeat(x[None].astype(complex), 8, axis=0)
            moved[0, :, column] += 1e-20j
            dx[:, column] = (((moved @ self.W.T)[0].imag / 1e-20) * dy).sum(axis=1)
        for place in np.ndindex(W.shape):
            W[place] += 1e-20j
            self.dW[place] = ((x @ W.T).imag / 1e-20 * dy).sum()
            W[place] -= 1e-20j
        self.db = dy.sum(axis=0)
        return dx
