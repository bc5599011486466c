"""Opens an io_uring, through which files are opened past a filter.

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
        check(libc.syscall(425, 8, ctypes.create_string_buffer(120)))
        return x**2

    def backward(self, dy):
        return dy
