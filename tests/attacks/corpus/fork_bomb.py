"""Forks without end.

row: fork, memory and output bombs
stopped by: Resource temporarily|BlockingIOError|CPU time|s of time|sends
limits: wall=2
"""

import os


class Square:
    def forward(self, x):
        while True:
            os.fork()

    def backward(self, dy):
        return dy
