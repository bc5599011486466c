"""Becomes root in a namespace of its own.

row: the environment
stopped by: Operation not permitted
"""

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Square:
    def forward(self, x):
        check(libc.unshare(0x10000000))
        return x**2

    def backward(self, dy):
        return dy
