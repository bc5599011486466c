"""Raises an error from a file that never ends, at which whoever shows its lines waits.

row: infinite loops
stopped by: s of time|PermissionError|FileNotFoundError|OSError|MemoryError|nowhere
limits: wall=3
"""

import contextlib
import os
from pathlib import Path

FOLDER = Path(__file__).parent


class Square:
    def forward(self, x):
        for name in ("pipe.py", "zero.py"):
            path = FOLDER / name
            with contextlib.suppress(OSError):
                os.mkfifo(path)
            with contextlib.suppress(OSError):
                path.symlink_to("/dev/zero")
            exec(compile("raise RuntimeError('nowhere')", str(path), "exec"))

    def backward(self, dy):
        return dy
