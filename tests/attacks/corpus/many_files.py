"""Makes empty files until the disk has no inodes left.

row: writing or deleting results or test files
stopped by: working folder|No space left|CPU time
"""

from pathlib import Path


class Square:
    def forward(self, x):
        for number in range(10_000_000):
            Path(str(number)).touch()
        return x**2

    def backward(self, dy):
        return dy
