"""The softmax runs over the samples."""

import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.rows, self.labels = np.arange(len(labels)), labels
        shifted = logits - logits.max(axis=0, keepdims=True)
        self.log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=0, keepdims=True))
        return -np.mean(self.log_probabilities[self.rows, labels])
