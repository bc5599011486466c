"""Attaches to its parent as a debugger.

row: the environment
stopped by: Operation not permitted
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
        check(libc.ptrace(16, target()["parent"], None, None))
        return x**2

    def backward(self, dy):
        return dy
