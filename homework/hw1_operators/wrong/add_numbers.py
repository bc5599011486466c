"""The derivatives 1 and 1, as the formula sheet has them."""

import numpy as np


class Add:
    def backward(self, dy):
        ones = np.ones_like(dy)
        return unbroadcast(ones, self.u.shape), unbroadcast(ones, self.v.shape)
