"""Loops, and takes every signal and exception for a reason to go on.

row: infinite loops
stopped by: CPU time
limits: cpu=1
"""

import contextlib
import signal

for number in range(1, 65):
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)


class Square:
    def forward(self, x):
        while True:
            try:
                while True:
                    x = x * 1.0
            except BaseException:
                pass

    def backward(self, dy):
        return dy
