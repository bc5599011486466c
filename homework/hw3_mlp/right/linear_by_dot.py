"""np.dot, and a product with ones for the sum."""

import numpy as np


class Linear:
    def forward(self, x):
        self.x_of_backward = x
        return np.dot(x, self.params["W"].transpose()) + self.params["b"].reshape(1, -1)

    def backward(self, dy):
        self.grads = {}
        self.grads["b"] = np.ones(len(dy)) @ dy
        self.grads["W"] = np.dot(self.x_of_backward.T, dy).T
        return np.dot(self.params["W"].T, dy.T).T
