"""Returns a terabyte that takes eight bytes.

row: fork, memory and output bombs
stopped by: more than 67108864 bytes
"""

import numpy as np


class Square:
    def forward(self, x):
        return np.broadcast_to(np.float64(1), (1 << 20, 1 << 17))

    def backward(self, dy):
        return dy
