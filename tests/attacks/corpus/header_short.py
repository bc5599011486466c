"""Announces more bytes than it sends, and keeps the parent waiting.

row: lying headers
stopped by: s of time
limits: wall=1.5
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
            {"id": 3, "value": {"array": 0}, "arrays": [{"dtype": "float64", "shape": [1000]}]},
            b"short",
        )
        os.read(os.pipe()[0], 1)

    def backward(self, dy):
        return dy
