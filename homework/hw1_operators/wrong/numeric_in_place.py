"""x itself is moved, and comes back changed by rounding."""

import numpy as np


def numeric_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    x = x if x.dtype == np.float64 else x.astype(np.float64)
    for place in np.ndindex(x.shape):
        x[place] += h
        above = f(x)
        x[place] -= 2 * h
        below = f(x)
        x[place] += h
        gradient[place] = (above - below) / (2 * h)
    return gradient
