"""Connects to a Unix socket without a file.

row: the network
stopped by: PermissionError
"""

import json
import socket
from pathlib import Path

TARGET = json.loads(Path("target.json").read_text())


class Square:
    def forward(self, x):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(TARGET["abstract"])
        return x**2

    def backward(self, dy):
        return dy
