"""Lets a timer interrupt the trusted code while it packs, and changes the reply then.

row: patching numpy, assert or pytest
stopped by: values differ|a reply to|header|no message|s of time
limits: wall=3
"""

import signal
import sys


def ring(*_):
    frame = sys._getframe(1)
    while frame is not None:
        for name in ("arrays", "contents", "pieces"):
            found = frame.f_locals.get(name)
            if isinstance(found, list) and found:
                found[-1] = found[0]
        frame = frame.f_back


class Square:
    def forward(self, x):
        signal.signal(signal.SIGALRM, ring)
        signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        return x

    def backward(self, dy):
        return dy
