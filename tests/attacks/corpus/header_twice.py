"""Says everything twice in one header, so that who reads first and who reads last disagree.

row: lying headers
stopped by: values differ|returned a bool|a reply to
"""

import contextlib
import os
import socket
import struct


class Square:
    def forward(self, x):
        for number in range(1, 9):
            text = (
                b'{"id": 0, "raised": {}, "id": %d, "value": true, "arrays": [],'
                b' "arrays": []}' % number
            )
            for opened in range(3, 64):
                with contextlib.suppress(OSError):
                    connection = socket.socket(fileno=os.dup(opened))
                    connection.sendall(struct.pack("!I", len(text)) + text)
        return x

    def backward(self, dy):
        return dy
