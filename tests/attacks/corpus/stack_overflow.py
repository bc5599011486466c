"""Overflows the stack of C by recursion without limit.

row: sys.exit, os._exit(0), a segfault
stopped by: SIGSEGV|SIGABRT|RecursionError|MemoryError
"""

import sys

sys.setrecursionlimit(1 << 30)


class Nested:
    def __repr__(self):
        return repr(self)


class Square:
    def forward(self, x):
        return repr(Nested())

    def backward(self, dy):
        return dy
