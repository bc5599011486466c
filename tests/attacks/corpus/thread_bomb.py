"""Starts threads without end.

row: fork, memory and output bombs
stopped by: RuntimeError|can't start new thread
"""

import threading
import time


class Square:
    def forward(self, x):
        while True:
            threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start()

    def backward(self, dy):
        return dy
