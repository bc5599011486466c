"""Takes the parent's memory for an array, by its address and NumPy's array interface.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: SIGSEGV|SIGBUS
"""

import json
from pathlib import Path

import numpy as np

ADDRESS = json.loads(Path("target.json").read_text())["address"]


class Window:
    @property
    def __array_interface__(self):
        return {"shape": (33,), "typestr": "|u1", "data": (ADDRESS, True), "version": 3}


class Square:
    def forward(self, x):
        print(bytes(np.asarray(Window())))
        return x**2

    def backward(self, dy):
        return dy
