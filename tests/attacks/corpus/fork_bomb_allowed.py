"""Forks without end, where some processes are allowed, and swallows errors.

row: fork, memory and output bombs
stopped by: CPU time|s of time|sends
limits: wall=2, real=5, processes=40
"""

import contextlib
import os


class Square:
    def forward(self, x):
        while True:
            with contextlib.suppress(OSError):
                os.fork()

    def backward(self, dy):
        return dy
