"""Answers with an object of the worker.

row: lying headers
stopped by: a kept object
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
        send({"id": 3, "value": {"kept": 0}, "arrays": []}, b"")
        os._exit(0)

    def backward(self, dy):
        return dy
