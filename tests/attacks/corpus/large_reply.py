"""Returns an array of half a gigabyte.

row: fork, memory and output bombs
stopped by: more than 67108864 bytes
"""

import numpy as np


class Square:
    def forward(self, x):
        return np.zeros(1 << 26)

    def backward(self, dy):
        return dy
