"""Prints without end.

row: fork, memory and output bombs
stopped by: CPU time|s of time
limits: cpu=1
"""


class Square:
    def forward(self, x):
        while True:
            print("x" * 10_000)

    def backward(self, dy):
        return dy
