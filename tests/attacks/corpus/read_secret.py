"""Reads a file of the teacher's that anybody on the machine may read.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: PermissionError|FileNotFoundError
"""

import json
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        print(Path(TARGET["secret"]).read_text())
        return x**2

    def backward(self, dy):
        return dy
