"""One number for each row: the loop runs over the first axis alone."""

import numpy as np


def numeric_gradient(f, x, h=1e-5):
    gradient = np.zeros(x.shape)
    moved = x.astype(np.float64)
    for i in range(len(x)):
        here = moved[i].copy()
        moved[i] = here + h
        above = f(moved)
        moved[i] = here - h
        below = f(moved)
        moved[i] = here
        gradient[i] = (above - below) / (2 * h)
    return gradient
