"""Leaves with sys.exit(0), which says success.

row: sys.exit, os._exit(0), a segfault
stopped by: SystemExit
"""

import sys


class Square:
    def forward(self, x):
        sys.exit(0)

    def backward(self, dy):
        return dy
