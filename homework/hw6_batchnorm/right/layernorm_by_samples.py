"""A loop over the samples."""

import numpy as np


class LayerNorm:
    def forward(self, x):
        self.kept, y = [], np.empty_like(x)
        for n, sample in enumerate(x):
            sigma = np.sqrt(np.var(sample) + self.epsilon)
            x_hat = (sample - np.mean(sample)) / sigma
            self.kept.append((x_hat, sigma))
            y[n] = self.params["gamma"] * x_hat + self.params["beta"]
        return y

    def backward(self, dy):
        self.grads = {name: np.zeros_like(array) for name, array in self.params.items()}
        dx = np.empty_like(dy)
        for n, (x_hat, sigma) in enumerate(self.kept):
            self.grads["gamma"] += dy[n] * x_hat
            self.grads["beta"] += dy[n]
            g = self.params["gamma"] * dy[n]
            dx[n] = (g - np.mean(g) - x_hat * (g @ x_hat) / len(g)) / sigma
        return dx
