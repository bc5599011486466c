"""Reads the memory of its parent.

row: the environment
stopped by: PermissionError|FileNotFoundError
"""

import json
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        for line in Path(f"/proc/{TARGET['parent']}/maps").read_text().splitlines():
            print(line)
        with Path(f"/proc/{TARGET['parent']}/mem").open("rb") as file:
            file.seek(TARGET["address"])
            print(file.read(64))
        return x**2

    def backward(self, dy):
        return dy
