"""Sends garbage for as long as it may.

row: lying headers
stopped by: sends|CPU time|s of time|values differ
limits: cpu=1, wall=3
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
        while True:
            send({"id": 3, "value": "x" * 1000, "arrays": []})

    def backward(self, dy):
        return dy
