"""The transposed batch, so that no axis has to be kept."""

import numpy as np


class LayerNorm:
    def forward(self, x):
        self.s = np.sqrt(np.var(x.T, axis=0) + self.epsilon)
        self.h = (x.T - np.mean(x.T, axis=0)) / self.s
        return self.h.T * self.params["gamma"] + self.params["beta"]

    def backward(self, dy):
        self.grads = {"gamma": np.sum(dy.T * self.h, axis=1), "beta": np.ones(len(dy)) @ dy}
        g = (dy * self.params["gamma"]).T
        return ((g - np.mean(g, 0) - self.h * np.mean(g * self.h, 0)) / self.s).T
