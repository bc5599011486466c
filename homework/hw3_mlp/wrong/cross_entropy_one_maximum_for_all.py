"""The maximum of the whole batch: another row underflows."""

import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.rows, self.labels = np.arange(len(labels)), labels
        shifted = logits - logits.max()
        log_sums = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.log_probabilities = shifted - log_sums
        return -np.mean(self.log_probabilities[self.rows, labels])
