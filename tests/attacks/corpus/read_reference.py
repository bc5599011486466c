"""Runs the library's own file.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: PermissionError|FileNotFoundError
"""

import json
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        source = (Path(TARGET["package"]) / "layers" / "operators" / "elementwise.py").read_text()
        assert "class Square" in source
        return x**2

    def backward(self, dy):
        return dy
