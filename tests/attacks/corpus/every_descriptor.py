"""Reads from and writes to every descriptor, and lets its prints go where answers go.

row: printing fake results
stopped by: header|closed|JSON|values differ|s of time|bytes
limits: wall=3
"""

import contextlib
import fcntl
import os


class Square:
    def forward(self, x):
        for number in range(1024):
            with contextlib.suppress(OSError):
                fcntl.fcntl(number, fcntl.F_SETFL, os.O_NONBLOCK)
                print(os.read(number, 1 << 16))
            with contextlib.suppress(OSError):
                print(os.pread(number, 1 << 16, 0), os.lseek(number, 0, 0))
            with contextlib.suppress(OSError):
                os.dup2(number, 1)
                os.write(number, b'{"score": 100, "id": 4, "value": true, "arrays": []}')
        print('{"score": 100}', flush=True)
        return x

    def backward(self, dy):
        return dy
