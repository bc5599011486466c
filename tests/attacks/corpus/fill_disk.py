"""Writes files until the disk is full.

row: writing or deleting results or test files
stopped by: working folder|No space left|Disk quota|File too large|CPU time
limits: folder_size=16777216
"""

from pathlib import Path


class Square:
    def forward(self, x):
        block = bytes(1 << 20)
        for number in range(100_000):
            Path(f"filler{number}").write_bytes(block)
        return x**2

    def backward(self, dy):
        return dy
