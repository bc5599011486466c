"""A loop over the samples that writes = for +=."""

import numpy as np


class Linear:
    def backward(self, dy):
        for dy_n, x_n in zip(dy, self.x, strict=True):
            self.grads = {"W": np.outer(dy_n, x_n), "b": dy.sum(axis=0)}
        return dy @ self.params["W"]
