"""Ends the process when its exception is printed, or its result is looked at.

row: sys.exit, os._exit(0), a segfault
stopped by: exit status 0|cannot be printed
"""

import os


class Trap(Exception):
    def __str__(self):
        os._exit(0)


class Square:
    def forward(self, x):
        raise Trap

    def backward(self, dy):
        return dy
