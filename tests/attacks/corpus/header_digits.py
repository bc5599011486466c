"""Sends a number of half a million digits, which takes long to read as one.

row: lying headers
stopped by: not JSON
"""

import contextlib
import os
import socket
import struct


class Square:
    def forward(self, x):
        text = b'{"arrays": [], "id": ' + b"9" * 500_000 + b"}"
        for number in range(3, 64):
            with contextlib.suppress(OSError):
                connection = socket.socket(fileno=os.dup(number))
                connection.sendall(struct.pack("!I", len(text)) + text)
        os._exit(0)

    def backward(self, dy):
        return dy
