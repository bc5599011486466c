"""Writes into an array's own record by its address: more elements than it has memory.

row: lying headers
stopped by: values differ|SIGSEGV|SIGBUS|Error|shape
"""

import ctypes

import numpy as np


class Square:
    def forward(self, x):
        y = np.zeros(x.shape)
        sizes = ctypes.cast(id(y), ctypes.POINTER(ctypes.c_void_p))
        shape = ctypes.cast(sizes[4], ctypes.POINTER(ctypes.c_ssize_t))
        shape[0] = 1 << 40
        return y

    def backward(self, dy):
        return dy
