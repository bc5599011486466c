"""The mean over samples and classes."""

import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.rows, self.labels = np.arange(len(labels)), labels
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return -np.sum(self.log_probabilities[self.rows, labels]) / logits.size
