"""Answers with what compares to nothing: not a number, and infinity.

row: objects and ndarray subclasses that claim to equal everything
stopped by: values differ
"""

import numpy as np


class Square:
    def forward(self, x):
        y = np.full(x.shape, np.nan)
        y[0] = np.inf
        return y

    def backward(self, dy):
        return np.full(dy.shape, np.nan)
