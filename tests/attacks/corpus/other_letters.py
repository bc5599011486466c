"""Names that look like those of the task, in letters that Python takes for the same or for others.

row: zip-slip, symlinks, devices, odd file names
stopped by: values differ
"""

import builtins

import numpy as np

builtins.ndarray = np.ndarray


class Ｓquare:
    def ｆorward(self, x):
        return np.zeros(x.shape)

    def bаckward(self, dy):
        return dy


globals()["Sсuare"] = Ｓquare
