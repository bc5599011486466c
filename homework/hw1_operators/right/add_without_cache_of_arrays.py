"""Only the shapes are kept."""

import numpy as np


class Add:
    def forward(self, u, v):
        self.shapes = u.shape, v.shape
        return np.add(u, v)

    def backward(self, dy):
        return [unbroadcast(dy, shape) for shape in self.shapes]
