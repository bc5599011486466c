"""Makes a device of its own, to read the disk.

row: zip-slip, symlinks, devices, odd file names
stopped by: PermissionError
"""

import os
import stat


class Square:
    def forward(self, x):
        os.mknod("disk", stat.S_IFBLK | 0o666, os.makedev(8, 0))
        return x**2

    def backward(self, dy):
        return dy
