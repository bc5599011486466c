"""An error whose text, name and notes never end.

row: fork, memory and output bombs
stopped by: CPU time|MemoryError|s of time
limits: cpu=1
"""


class Endless(Exception):
    def __str__(self):
        words = "100 / 100 "
        while True:
            words += words[-1_000_000:]
            words = words[-1_000_000:]

    __repr__ = __str__


class Square:
    def forward(self, x):
        error = Endless()
        error.__notes__ = [Endless()] * 1000
        raise error

    def backward(self, dy):
        return dy
