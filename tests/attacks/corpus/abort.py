"""Aborts.

row: sys.exit, os._exit(0), a segfault
stopped by: SIGABRT|SIGSEGV|SIGILL
"""

import os


class Square:
    def forward(self, x):
        os.abort()

    def backward(self, dy):
        return dy
