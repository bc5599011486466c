"""Answers a request for an object with a number that is none.

row: lying headers
stopped by: a kept object without number
"""

import contextlib
import json
import os
import socket
import struct


def send(header):
    """Write to every socket that is open, past the trusted code."""
    text = json.dumps(header).encode()
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            connection = socket.socket(fileno=os.dup(number))
            connection.sendall(struct.pack("!I", len(text)) + text)


class Square:
    def __init__(self):
        send({"id": 2, "kept": {"__class__": "ndarray"}, "class": ["x"], "arrays": []})
        os._exit(0)

    def forward(self, x):
        return x

    def backward(self, dy):
        return dy
