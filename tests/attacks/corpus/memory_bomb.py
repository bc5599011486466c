"""Asks for all memory.

row: fork, memory and output bombs
stopped by: MemoryError
"""

import numpy as np


class Square:
    def forward(self, x):
        kept = []
        while True:
            kept.append(np.ones(1 << 24))

    def backward(self, dy):
        return dy
