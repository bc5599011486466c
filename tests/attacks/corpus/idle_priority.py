"""Becomes the least important process there is, so that nobody charges it for waiting.

row: timeouts held just below the limit
stopped by: CPU time|s of time
limits: cpu=1
"""

import contextlib
import os


class Square:
    def forward(self, x):
        os.nice(19)
        with contextlib.suppress(OSError, AttributeError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        while True:
            os.sched_yield()

    def backward(self, dy):
        return dy
