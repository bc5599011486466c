"""Returns an array of objects, which NumPy stores as a pickle.

row: unpickling tricks
stopped by: dtype object
"""

import os

import numpy as np


class Bomb:
    def __reduce__(self):
        return os.system, ("touch pickled",)


class Square:
    def forward(self, x):
        return np.array([Bomb()], dtype=object)

    def backward(self, dy):
        return dy
