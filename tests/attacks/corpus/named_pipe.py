"""Makes a pipe in its folder, at which whoever reads it waits for ever.

row: zip-slip, symlinks, devices, odd file names
stopped by: PermissionError
"""

import os


class Square:
    def forward(self, x):
        os.mkfifo("square.npy")
        return x**2

    def backward(self, dy):
        return dy
