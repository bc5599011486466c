"""A file that never had a name: O_TMPFILE.

row: writing or deleting results or test files
stopped by: PermissionError|Operation not permitted|not supported
"""

import os


class Square:
    def forward(self, x):
        file = os.open(".", os.O_RDWR | os.O_TMPFILE)
        os.write(file, bytes(8 << 20))
        return x**2

    def backward(self, dy):
        return dy
