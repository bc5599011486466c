"""To the letter of the sums: sample, channels, place, element of the kernel."""

import numpy as np


class Correlation1d:
    def forward(self, x):
        W, p = self.params["W"], self.padding
        self.x = np.zeros((x.shape[0], x.shape[1], x.shape[2] + 2 * p))
        self.x[:, :, p : p + x.shape[2]] = x
        places = (self.x.shape[2] - W.shape[2]) // self.stride + 1
        y = np.zeros((len(x), len(W), places))
        for n, o, i in np.ndindex(y.shape):
            y[n, o, i] = self.params["b"][o]
            start = self.stride * i
            y[n, o, i] += np.sum(self.x[n, :, start : start + W.shape[2]] * W[o])
        return y

    def backward(self, dy):
        W, p = self.params["W"], self.padding
        dx, dW, db = np.zeros(self.x.shape), np.zeros(W.shape), np.zeros(len(W))
        for n, o, i in np.ndindex(dy.shape):
            db[o] += dy[n, o, i]
            for c in range(W.shape[1]):
                for j in range(W.shape[2]):
                    dW[o, c, j] += dy[n, o, i] * self.x[n, c, self.stride * i + j]
                    dx[n, c, self.stride * i + j] += dy[n, o, i] * W[o, c, j]
        self.grads = {"W": dW, "b": db}
        return dx[:, :, p : dx.shape[2] - p]
