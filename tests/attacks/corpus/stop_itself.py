"""Stops like a debugged process, so that it neither ends nor uses time.

row: infinite loops
stopped by: s of time|values differ|returned
limits: wall=1.5
"""

import os
import signal


class Square:
    def forward(self, x):
        os.kill(os.getpid(), signal.SIGSTOP)
        return x

    def backward(self, dy):
        return dy
