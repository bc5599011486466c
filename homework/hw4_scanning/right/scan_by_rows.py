"""All windows as the rows of one batch, whose matrix products sum over them."""

import numpy as np


class ScannedMLP:
    def forward(self, X):
        p, self.shape = self.params, X.shape
        self.starts = np.arange(0, len(X) - self.window + 1, self.stride)
        self.rows = X[self.starts[:, None] + np.arange(self.window)].reshape(len(self.starts), -1)
        self.h1 = np.maximum(self.rows @ p["W1"].T + p["b1"], 0)
        self.h2 = np.maximum(self.h1 @ p["W2"].T + p["b2"], 0)
        return self.h2 @ p["W3"].T + p["b3"]

    def backward(self, dO):
        p, g = self.params, {}
        dz = dO
        for i, y in ((3, self.h2), (2, self.h1), (1, self.rows)):
            g[f"W{i}"], g[f"b{i}"] = dz.T @ y, dz.sum(axis=0)
            dz = (dz @ p[f"W{i}"]) * (y > 0 if i > 1 else 1)
        dX = np.zeros(self.shape)
        parts = dz.reshape(len(dO), self.window, -1)
        np.add.at(dX, self.starts[:, None] + np.arange(self.window), parts)
        self.grads = g
        return dX
