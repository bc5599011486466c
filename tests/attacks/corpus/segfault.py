"""Reads address 0.

row: sys.exit, os._exit(0), a segfault
stopped by: SIGSEGV
"""

import ctypes


class Square:
    def forward(self, x):
        ctypes.string_at(0)

    def backward(self, dy):
        return dy
