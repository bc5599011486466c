"""Leaves with os._exit(0), past every handler.

row: sys.exit, os._exit(0), a segfault
stopped by: exit status 0
"""

import os


class Square:
    def forward(self, x):
        os._exit(0)

    def backward(self, dy):
        return dy
