"""The probability of the label in place of its logarithm."""

import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.rows, self.labels = np.arange(len(labels)), labels
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -np.mean(np.exp(self.log_probabilities[self.rows, labels]))
