"""Catches the signal that ends its time, raises the limit, and sleeps between in the hope of more.

row: infinite loops
stopped by: CPU time
limits: cpu=1
"""

import contextlib
import resource
import signal


class Square:
    def forward(self, x):
        signal.signal(signal.SIGXCPU, lambda *_: None)
        for soft in (2, 1000, resource.RLIM_INFINITY):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
        while True:
            x = x + 0.0

    def backward(self, dy):
        return dy
