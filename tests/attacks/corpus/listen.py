"""Waits for connections from outside.

row: the network
stopped by: PermissionError
"""

import socket


class Square:
    def forward(self, x):
        with socket.create_server(("127.0.0.1", 0)):
            return x**2

    def backward(self, dy):
        return dy
