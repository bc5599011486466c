"""One-hot rows, and NumPy's logaddexp."""

import numpy as np


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        self.one_hot = np.eye(logits.shape[1])[labels]
        self.log_p = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return -np.sum(self.one_hot * self.log_p) / len(logits)

    def backward(self):
        return (np.exp(self.log_p) - self.one_hot) / len(self.one_hot)
