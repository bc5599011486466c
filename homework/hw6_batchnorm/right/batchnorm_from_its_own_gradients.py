"""The two means are dbeta / N and dgamma / N, and gamma may wait."""

import numpy as np


class BatchNorm:
    def backward(self, dy):
        dgamma, dbeta = np.einsum("nf,nf->f", dy, self.x_hat), dy.sum(0)
        self.grads["gamma"], self.grads["beta"] = dgamma, dbeta
        if self.by_batch:
            dy = dy - dbeta / len(dy) - self.x_hat * dgamma / len(dy)
        return self.params["gamma"] / self.deviation * dy
