"""Computes a number with a hundred million digits, inside one call to C.

row: infinite loops
stopped by: CPU time|MemoryError
limits: cpu=1
"""


class Square:
    def forward(self, x):
        return (7 ** (10**8)) % 10

    def backward(self, dy):
        return dy
