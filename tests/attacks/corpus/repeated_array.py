"""One small array that the answer names three hundred times.

row: lying headers
stopped by: named twice
"""

import contextlib
import json
import os
import socket
import struct


class Square:
    def forward(self, x):
        arrays = [{"dtype": "float64", "shape": [3]}]
        header = {"id": 3, "value": {"list": [{"array": 0}] * 300}, "arrays": arrays}
        text = json.dumps(header).encode()
        for number in range(3, 64):
            with contextlib.suppress(OSError):
                connection = socket.socket(fileno=os.dup(number))
                connection.sendall(struct.pack("!I", len(text)) + text + bytes(24))
        os._exit(0)

    def backward(self, dy):
        return dy
