"""Reads a file of the teacher's through a link in its own folder.

row: zip-slip, symlinks, devices, odd file names
stopped by: PermissionError|FileNotFoundError
"""

import json
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        Path("link").symlink_to(TARGET["secret"])
        print(Path("link").read_text())
        return x**2

    def backward(self, dy):
        return dy
