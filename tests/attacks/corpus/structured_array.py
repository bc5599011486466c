"""Returns an array of records with objects inside.

row: unpickling tricks
stopped by: dtype
"""

import numpy as np


class Square:
    def forward(self, x):
        return np.zeros(3, dtype=[("value", "f8"), ("more", "O")])

    def backward(self, dy):
        return dy
