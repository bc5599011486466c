"""Closes its end of the conversation one way, and turns all knobs of its sockets.

row: sys.exit, os._exit(0), a segfault
stopped by: closed its connection|ended before
"""

import contextlib
import os
import socket


class Square:
    def forward(self, x):
        for number in range(3, 64):
            with contextlib.suppress(OSError):
                connection = socket.socket(fileno=os.dup(number))
                for option in range(1, 80):
                    with contextlib.suppress(OSError):
                        connection.setsockopt(socket.SOL_SOCKET, option, 1)
                connection.shutdown(socket.SHUT_WR)
        return x

    def backward(self, dy):
        return dy
