"""Leaves, and answers while Python cleans up: at exit, and when its objects die.

row: sys.exit, os._exit(0), a segfault
stopped by: values differ|SystemExit|a reply to|ended before|exit status
"""

import atexit
import contextlib
import json
import os
import socket
import struct
import sys
import weakref


def send(header, content=b""):
    """Write to every socket that is open, past the trusted code."""
    text = json.dumps(header).encode()
    for number in range(3, 64):
        with contextlib.suppress(OSError):
            connection = socket.socket(fileno=os.dup(number))
            connection.sendall(struct.pack("!I", len(text)) + text + content)


class Square:
    def forward(self, x):
        weakref.finalize(self, send, {"id": 5, "value": True, "arrays": []})
        atexit.register(send, {"id": 5, "value": True, "arrays": []})
        sys.exit(0)

    def backward(self, dy):
        atexit._run_exitfuncs()
        os._exit(0)
