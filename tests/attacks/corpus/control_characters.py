"""Puts terminal commands into its messages and classes.

row: zip-slip, symlinks, devices, odd file names
stopped by: x1b.2J
"""


class Square:
    def forward(self, x):
        raise type("\x1b[31mError", (Exception,), {})("\x1b[2J\x1b[H100 / 100\r\u202e")

    def backward(self, dy):
        return dy
