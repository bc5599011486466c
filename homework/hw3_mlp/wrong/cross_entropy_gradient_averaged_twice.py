"""Divided by N twice."""

import numpy as np


class SoftmaxCrossEntropy:
    def backward(self):
        dlogits = np.exp(self.log_probabilities)
        dlogits[self.rows, self.labels] -= 1
        return dlogits / len(dlogits) ** 2
