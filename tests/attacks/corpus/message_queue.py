"""Leaves a POSIX message queue.

row: daemons that outlive the parent
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
        check(libc.mq_open(b"/answers", os.O_CREAT | os.O_RDWR, 0o666, None))
        return x**2

    def backward(self, dy):
        return dy
