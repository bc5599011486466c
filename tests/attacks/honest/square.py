import numpy as np


class Square:
    def forward(self, x):
        self.x = x
        return np.square(x)

    def backward(self, dy):
        return 2 * self.x * dy
