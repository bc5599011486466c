"""NumPy's own variance, which divides by N."""

import numpy as np


def moments(x):
    return np.average(x, axis=0), np.var(x, axis=0)
