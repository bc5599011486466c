"""The flipped kernel along a padded signal."""

import numpy as np


def convolve(x, w):
    padded = np.concatenate([np.zeros(len(w) - 1), x, np.zeros(len(w) - 1)])
    return correlate(padded, w[::-1])
