"""An index counted from the front, and a product with zeros and a one."""

import numpy as np


class LastStep:
    def forward(self, x):
        self.time = x.shape[1]
        return np.take(x, self.time - 1, axis=1)

    def backward(self, dy):
        last = np.arange(self.time) == self.time - 1
        return dy[:, None, :] * last[None, :, None]
