"""Reads a file of the teacher's through a second name for it.

row: zip-slip, symlinks, devices, odd file names
stopped by: PermissionError|FileNotFoundError|OSError
"""

import json
import os
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        os.link(TARGET["secret"], "link")
        print(Path("link").read_text())
        return x**2

    def backward(self, dy):
        return dy
