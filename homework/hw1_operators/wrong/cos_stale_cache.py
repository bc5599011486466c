"""The first x is kept while the shape stays."""

import numpy as np


class Cos:
    def forward(self, x):
        if not hasattr(self, "x") or self.x.shape != x.shape:
            self.x = x
        return np.cos(x)
