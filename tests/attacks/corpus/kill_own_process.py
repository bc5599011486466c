"""Kills itself, or all that it may.

row: sys.exit, os._exit(0), a segfault
stopped by: exit status|SIGKILL|No such process
"""

import os
import signal


class Square:
    def forward(self, x):
        os.kill(-1, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
        raise OSError("not killed")

    def backward(self, dy):
        return dy
