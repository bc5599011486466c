"""Fills the disk with files that have no name any more, where nobody counts them.

row: writing or deleting results or test files
stopped by: PermissionError|Operation not permitted|No space left|working folder
"""

import os
from pathlib import Path


class Square:
    def forward(self, x):
        held = []
        for number in range(60):
            file = os.open(f"a{number}", os.O_RDWR | os.O_CREAT)
            Path(f"a{number}").unlink()
            os.write(file, bytes(8 << 20))
            held.append(file)
        return x**2

    def backward(self, dy):
        return dy
