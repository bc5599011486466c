"""x - mean is kept; the running statistics are moved in place."""

import numpy as np


class BatchNorm:
    def forward(self, x):
        self.mode = "train" if self.training else "eval"
        running_mean, running_var = self.buffers["running_mean"], self.buffers["running_var"]
        if self.mode == "train":
            mean, var = moments(x)
            running_mean += self.momentum * (mean - running_mean)
            running_var += self.momentum * (var * len(x) / (len(x) - 1) - running_var)
        else:
            mean, var = running_mean, running_var
        self.centred, self.scale = x - mean, (var + self.epsilon) ** -0.5
        return self.centred * (self.params["gamma"] * self.scale) + self.params["beta"]

    def backward(self, dy):
        x_hat = self.centred * self.scale
        self.grads = {"gamma": np.sum(dy * x_hat, 0), "beta": np.sum(dy, 0)}
        dx = self.params["gamma"] * self.scale * dy
        if self.mode == "train":
            dx = dx - dx.mean(0)
            dx = dx - x_hat * (dx * x_hat).mean(0)
        return dx
