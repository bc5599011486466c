"""y with the samples as columns, (out, batch)."""

import numpy as np


class Linear:
    def forward(self, x):
        self.x = x
        return self.params["W"] @ x.T + self.params["b"][:, np.newaxis]
