"""The gradient is the softmax."""

import numpy as np


class SoftmaxCrossEntropy:
    def backward(self):
        return np.exp(self.log_probabilities) / len(self.labels)
