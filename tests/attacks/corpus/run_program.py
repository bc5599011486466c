"""Runs another program.

row: the environment
stopped by: PermissionError|BlockingIOError|FileNotFound
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
        import subprocess

        subprocess.run(["/bin/cat", "/etc/passwd"], check=True)
        return x**2

    def backward(self, dy):
        return dy
