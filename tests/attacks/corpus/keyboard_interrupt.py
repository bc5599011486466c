"""Raises what Ctrl-C raises, to stop the batch.

row: sys.exit, os._exit(0), a segfault
stopped by: KeyboardInterrupt
"""


class Square:
    def forward(self, x):
        raise KeyboardInterrupt

    def backward(self, dy):
        return dy
