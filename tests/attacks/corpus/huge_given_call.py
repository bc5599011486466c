"""Sends the largest array that memory holds, again and again, instead of an answer.

row: fork, memory and output bombs
stopped by: too large|MemoryError|time
"""

import numpy as np


class Square:
    def forward(self, x):
        return np.zeros(7_000_000)

    def backward(self, dy):
        return dy
