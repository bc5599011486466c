"""dW from the input alone."""

import numpy as np


class Linear:
    def backward(self, dy):
        self.grads = {"W": np.ones_like(dy).T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]
