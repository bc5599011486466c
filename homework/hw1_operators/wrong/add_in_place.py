"""u += v writes into u."""

import numpy as np


class Add:
    def forward(self, u, v):
        self.u, self.v = u, v
        if u.shape == np.broadcast_shapes(u.shape, v.shape):
            u += v
            return u
        return u + v
