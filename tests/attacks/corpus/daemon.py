"""Leaves a daemon: forked twice, own session, deaf to signals, closed files.

row: daemons that outlive the parent
stopped by: exit status 0|returned|closed|Resource temporarily
limits: processes=16
"""

import os
import signal
import time


def daemon():
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    os.closerange(0, 64)
    while True:
        time.sleep(0.01)


class Square:
    def forward(self, x):
        if os.fork() == 0:
            daemon()
        time.sleep(0.1)
        os._exit(0)

    def backward(self, dy):
        return dy
