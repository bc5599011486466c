"""Has no backward: differences of forward, element by element.

row: a numeric derivative instead of a backward
stopped by: CPU time
item: linear
limits: cpu=1
"""

import numpy as np


class Linear:
    def __init__(self, in_features, out_features):
        self.W = np.zeros((out_features, in_features))
        self.b = np.zeros(out_features)

    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b

    def backward(self, dy):
        self.dW, self.db = self.differences(self.W, dy), self.differences(self.b, dy)
        return self.differences(self.x, dy)

    def differences(self, array, dy, step=1e-6):
        result = np.zeros_like(array)
        for i in np.ndindex(array.shape):
            old = array[i]
            array[i] = old + step
            above = np.sum(self.forward(self.x) * dy)
            array[i] = old - step
            below = np.sum(self.forward(self.x) * dy)
            array[i] = old
            result[i] = (above - below) / (2 * step)
        return result
