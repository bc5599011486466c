"""Connects to a server on this machine.

row: the network
stopped by: PermissionError
"""

import json
import socket
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        with socket.create_connection(("127.0.0.1", TARGET["port"]), timeout=1) as connection:
            connection.sendall(b"give me the answers")
        return x**2

    def backward(self, dy):
        return dy
