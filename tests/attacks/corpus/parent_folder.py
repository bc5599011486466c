"""Reads and writes through .. what lies beside its folder.

row: zip-slip, symlinks, devices, odd file names
stopped by: PermissionError|FileNotFoundError|Read-only
"""

from pathlib import Path


class Square:
    def forward(self, x):
        print(list(Path("..").iterdir()))
        Path("../left_behind").write_text("answers")
        return x**2

    def backward(self, dy):
        return dy
