"""cos x, without dy."""

import numpy as np


class Sin:
    def backward(self, dy):
        return np.cos(self.x)
