"""Leaves a note for its later items wherever something can be written, or only locked.

row: daemons that outlive the parent
stopped by: nothing kept
"""

import contextlib
import fcntl
import os
import sys
from pathlib import Path

PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run", "/var/lock", "/", "..", "../..")


class Square:
    def forward(self, x):
        for place in (*PLACES, *sys.path):
            if Path(place).resolve() == Path.cwd():
                continue
            with contextlib.suppress(OSError):
                Path(place, "answers.txt").write_text("seen")
                return x**2
            with contextlib.suppress(OSError):
                os.link("square.py", Path(place, "answers.txt"))
                return x**2
            with contextlib.suppress(OSError):
                opened = os.open(place, os.O_RDONLY | os.O_TMPFILE)
                fcntl.flock(opened, fcntl.LOCK_EX)
                return x**2
        raise LookupError("nothing kept")

    def backward(self, dy):
        return dy
