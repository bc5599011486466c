"""x ± h e, with a new array for every element."""

import numpy as np


def numeric_gradient(f, x, h=1e-5):
    gradient = np.empty(x.size)
    for i in range(x.size):
        e = np.zeros(x.size)
        e[i] = h
        e = e.reshape(x.shape)
        gradient[i] = (f(x + e) - f(x - e)) / (2 * h)
    return gradient.reshape(x.shape)
