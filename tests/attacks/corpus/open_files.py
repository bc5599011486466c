"""Reads every file that is still open.

row: the environment
stopped by: nothing found
"""

import json
import os
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        places = [f"/proc/{TARGET['parent']}/fd/{number}" for number in range(64)]
        for place in [*range(3, 1024), *places]:
            try:
                number = place if isinstance(place, int) else os.open(place, os.O_RDONLY)
                found = os.pread(number, 100, 0)
            except OSError:
                continue
            print(found)
            return x**2
        raise LookupError("nothing found in open files")

    def backward(self, dy):
        return dy
