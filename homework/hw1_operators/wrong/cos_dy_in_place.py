"""dy *= writes into dy."""

import numpy as np


class Cos:
    def backward(self, dy):
        dy *= -np.sin(self.x)
        return dy
