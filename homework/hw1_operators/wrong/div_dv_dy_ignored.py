"""dv = -u / v², without dy."""

import numpy as np


class Div:
    def backward(self, dy):
        return unbroadcast(dy / self.v, self.u.shape), unbroadcast(
            np.ones_like(dy) * -self.u / self.v**2, self.v.shape
        )
