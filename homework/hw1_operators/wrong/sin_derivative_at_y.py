"""cos y for cos x: the cache holds the wrong array."""

import numpy as np


class Sin:
    def forward(self, x):
        self.x = np.sin(x)
        return self.x
