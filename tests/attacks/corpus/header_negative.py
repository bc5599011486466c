"""Announces a negative length.

row: lying headers
stopped by: an array of shape
"""

import contextlib
import json
import os
import socket
import struct


def send(header, content=b""):
    """Write to every socket that is open, past the trusted code."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            connection = socket.socket(fileno=os.dup(number))
            connection.sendall(struct.pack("!I", len(text)) + text + content)


class Square:
    def forward(self, x):
        send(
            {"id": 3, "value": {"array": 0}, "arrays": [{"dtype": "float64", "shape": [-1, -8]}]},
            b"",
        )
        os._exit(0)

    def backward(self, dy):
        return dy
