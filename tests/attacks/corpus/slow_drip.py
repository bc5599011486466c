"""Sends its reply byte by byte, each just before the parent would give up.

row: timeouts held just below the limit
stopped by: s of time
limits: wall=1.5
"""

import contextlib
import json
import os
import socket
import struct
import time


def send(header):
    """Write to every socket that is open, past the trusted code."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            connection = socket.socket(fileno=os.dup(number))
            connection.sendall(text)


send(struct.pack("!I", 1000))


class Square:
    def forward(self, x):
        while True:
            send(b" ")
            time.sleep(0.09)

    def backward(self, dy):
        return dy
