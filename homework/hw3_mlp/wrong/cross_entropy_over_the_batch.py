"""One sum of exponentials for the whole batch."""

import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.rows, self.labels = np.arange(len(labels)), labels
        shifted = logits - logits.max()
        self.log_probabilities = shifted - np.log(np.exp(shifted).sum())
        return -np.mean(self.log_probabilities[self.rows, labels])
