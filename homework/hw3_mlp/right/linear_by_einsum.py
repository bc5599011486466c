"""Index by index."""

import numpy as np


class Linear:
    def forward(self, x):
        self.cache = (x,)
        return np.einsum("ni,oi->no", x, self.params["W"]) + self.params["b"]

    def backward(self, dy):
        (x,) = self.cache
        self.grads["W"] = np.einsum("no,ni->oi", dy, x)
        self.grads["b"] = np.einsum("no->o", dy)
        return np.einsum("no,oi->ni", dy, self.params["W"])
