"""Hands in what another student wrote, from their folder.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: PermissionError|FileNotFoundError
"""

import json
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        names = {}
        exec(Path(TARGET["other"]).read_text(), names)
        return names["square"](x)

    def backward(self, dy):
        return dy
