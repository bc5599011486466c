"""Mounts a file system over the working folder.

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
        check(libc.mount(b"none", b".", b"tmpfs", 0, None))
        return x**2

    def backward(self, dy):
        return dy
