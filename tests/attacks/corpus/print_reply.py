"""Prints what looks like a worker's reply, to stdout and stderr.

row: printing fake results
stopped by: returned None
"""

import json
import struct
import sys


class Square:
    def forward(self, x):
        text = json.dumps({"id": 2, "value": {"array": 0}, "arrays": []}).encode()
        for stream in (sys.stdout, sys.stderr):
            stream.buffer.write(struct.pack("!I", len(text)) + text)

    def backward(self, dy):
        return self.forward(dy)
