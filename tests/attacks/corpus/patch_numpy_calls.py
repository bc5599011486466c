"""Breaks what the worker itself uses of NumPy.

row: patching numpy, assert or pytest
stopped by: AttributeError|TypeError|ended before|exit status
"""

import numpy as np

real = np.square
np.array = np.asarray = np.empty = np.ascontiguousarray = None


class Square:
    def forward(self, x):
        return x.tolist()

    def backward(self, dy):
        return dy.tolist()
