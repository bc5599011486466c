"""log(p + 1e-12): no inf, but no logarithm of a small p either."""

import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.rows, self.labels = np.arange(len(labels)), labels
        exps = np.exp(logits - logits.max(axis=1, keepdims=True))
        p = exps / exps.sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore"):
            self.log_probabilities = np.log(p)
        return -np.mean(np.log(p[self.rows, labels] + 1e-12))
