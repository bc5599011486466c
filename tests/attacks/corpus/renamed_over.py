"""Takes the name from a full file by renaming an empty one over it.

row: writing or deleting results or test files
stopped by: PermissionError|Operation not permitted|No space left|working folder
"""

import os
from pathlib import Path


class Square:
    def forward(self, x):
        held = []
        for _ in range(60):
            held.append(os.open("full", os.O_RDWR | os.O_CREAT))
            os.write(held[-1], bytes(8 << 20))
            os.close(os.open("empty", os.O_RDWR | os.O_CREAT))
            Path("empty").rename("full")
        return x**2

    def backward(self, dy):
        return dy
