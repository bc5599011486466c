"""Sums over axes without `unbroadcast`."""

import numpy as np


class Mul:
    def forward(self, u, v):
        self.cache = u.copy(), v.copy()
        return np.multiply(u, v)

    def backward(self, dy):
        gradients = []
        for own, other in (self.cache, self.cache[::-1]):
            gradient = dy * other
            added = gradient.ndim - own.ndim
            axes = [*range(added), *(added + i for i, n in enumerate(own.shape) if n == 1)]
            gradients.append(gradient.sum(axis=tuple(axes)).reshape(own.shape))
        return tuple(gradients)
