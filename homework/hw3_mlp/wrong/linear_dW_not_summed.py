"""One dW for each sample: the sum over the batch is missing."""

import numpy as np


class Linear:
    def backward(self, dy):
        self.grads = {"W": np.einsum("ni,nj->nij", dy, self.x), "b": dy.sum(axis=0)}
        return dy @ self.params["W"]
