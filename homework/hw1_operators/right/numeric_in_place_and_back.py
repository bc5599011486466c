"""x itself is moved, and each element is put back as it was."""

import numpy as np


def numeric_gradient(f, x, h=1e-5):
    x = x.astype(np.float64) if x.dtype != np.float64 else x
    gradient = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"])
    for _ in it:
        index = it.multi_index
        here = x[index]
        x[index] = here + h
        above = f(x)
        x[index] = here - h
        below = f(x)
        x[index] = here
        gradient[index] = (above - below) / h / 2
    return gradient
