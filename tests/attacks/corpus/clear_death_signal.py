"""Asks the kernel to let it outlive its parent.

row: daemons that outlive the parent
stopped by: Operation not permitted
"""

import ctypes
import os


class Square:
    def forward(self, x):
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(1, 0, 0, 0, 0) != 0:  # PR_SET_PDEATHSIG
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return x**2

    def backward(self, dy):
        return dy
