"""Takes nearly the limit for every call, and there are two.

row: timeouts held just below the limit
stopped by: s of time
limits: wall=3
"""

import time

import numpy as np


class Square:
    def forward(self, x):
        time.sleep(2)
        self.x = x
        return np.square(x)

    def backward(self, dy):
        time.sleep(2)
        return 2 * self.x * dy
