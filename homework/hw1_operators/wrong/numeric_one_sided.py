"""(f(x + h) - f(x)) / h."""

import numpy as np


def numeric_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    moved = x.astype(np.float64)
    for place in np.ndindex(x.shape):
        here = moved[place]
        moved[place] = here + h
        above = f(moved)
        moved[place] = here
        below = f(moved)
        gradient[place] = (above - below) / h
    return gradient
