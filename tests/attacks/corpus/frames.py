"""Looks for expected values in the frames of its callers.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: nothing found
"""

import sys

import numpy as np


class Square:
    def forward(self, x):
        frame = sys._getframe(1)
        while frame is not None:
            for value in [*frame.f_locals.values(), *frame.f_globals.values()]:
                if isinstance(value, np.ndarray) and value is not x and value.shape == x.shape:
                    return value
            frame = frame.f_back
        raise LookupError("nothing found in the frames")

    def backward(self, dy):
        return dy
