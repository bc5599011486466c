"""Raises an exception with a text of a hundred megabytes.

row: fork, memory and output bombs
stopped by: ValueError: xxx
"""


class Square:
    def forward(self, x):
        raise ValueError("x" * 100_000_000)

    def backward(self, dy):
        return dy
