"""Looks for the library and the expected values in sys.modules.

row: reading the reference from disk, sys.modules, frames or gc
stopped by: nothing found
"""

import sys


class Square:
    def forward(self, x):
        for name, module in list(sys.modules.items()):
            if "nnscratch" in name or hasattr(module, "expected"):
                return x**2
        raise LookupError("nothing found in sys.modules")

    def backward(self, dy):
        return dy
