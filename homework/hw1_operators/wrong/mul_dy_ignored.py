"""v and u, without the chain rule's dy."""

import numpy as np


class Mul:
    def backward(self, dy):
        ones = np.ones_like(dy)
        return unbroadcast(ones * self.v, self.u.shape), unbroadcast(ones * self.u, self.v.shape)
