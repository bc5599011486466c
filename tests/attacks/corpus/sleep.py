"""Sleeps, which costs no CPU time.

row: infinite loops
stopped by: s of time
limits: wall=1.5
"""

import time


class Square:
    def forward(self, x):
        time.sleep(1e6)

    def backward(self, dy):
        return dy
