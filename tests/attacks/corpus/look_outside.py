"""Asks whether the teacher's files are there, how large and how old, without opening any.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: FileNotFoundError|PermissionError|values differ
"""

import json
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        found = [path for path in ("/etc", "/proc", "/usr") if Path(path).exists()]
        size = Path(TARGET["secret"]).stat().st_size
        print(found, size, TARGET["secret"])
        return x**2

    def backward(self, dy):
        return dy
