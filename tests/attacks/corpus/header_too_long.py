"""Announces a header of four gigabytes.

row: lying headers
stopped by: a header of 4294967295 bytes
"""

import contextlib
import os
import socket


class Square:
    def forward(self, x):
        for number in range(3, 64):
            with contextlib.suppress(OSError):
                socket.socket(fileno=os.dup(number)).sendall(bytes([255]) * 64)
        os._exit(0)

    def backward(self, dy):
        return dy
