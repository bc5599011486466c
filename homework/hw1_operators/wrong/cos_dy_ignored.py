"""-sin x, without dy."""

import numpy as np


class Cos:
    def backward(self, dy):
        return -np.sin(self.x)
