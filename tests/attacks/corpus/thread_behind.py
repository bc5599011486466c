"""Returns an array that a thread goes on changing while it is sent and compared.

row: objects and ndarray subclasses that claim to equal everything
stopped by: can't start new thread
"""

import threading

import numpy as np


class Square:
    def forward(self, x):
        self.y = np.array(x)
        threading.Thread(target=self.change, daemon=True).start()
        return self.y

    def change(self):
        while True:
            self.y *= -1.0

    def backward(self, dy):
        return dy
