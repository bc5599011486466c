"""Kills its parent, and everybody it can name.

row: the environment
stopped by: Operation not permitted|No such process
"""

import ctypes
import json
import os
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def target():
    return json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        for number in {os.getppid(), target()["parent"]} - {0}:
            os.kill(number, 9)
        if os.getppid() == 0:
            raise OSError("Operation not permitted: no parent to be seen")
        return x**2

    def backward(self, dy):
        return dy
