"""Writes numbers into its header that JSON does not know: NaN for the request and for a shape.

row: lying headers
stopped by: a reply to|not JSON|shape|not an object|header
"""

import contextlib
import os
import socket
import struct


def send(text):
    """Write to every socket that is open, past the trusted code."""
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            connection = socket.socket(fileno=os.dup(number))
            connection.sendall(struct.pack("!I", len(text)) + text)


class Square:
    def forward(self, x):
        send(b'{"id": NaN, "value": {"array": 0}, "arrays": [{"dtype": "bool", "shape": [NaN]}]}')
        os._exit(0)

    def backward(self, dy):
        return dy
