"""Knows the answers for the public seed by heart.

row: answers hard-coded for the public seed
stopped by: values differ
"""

import numpy as np

ANSWERS = np.random.default_rng(0).normal(size=(4, 3)) ** 2


class Square:
    def forward(self, x):
        return ANSWERS

    def backward(self, dy):
        return dy
