"""One sum, and a reshape for the axes of size 1."""

import numpy as np


def unbroadcast(gradient, shape):
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    summed = tuple(axis for axis, size in enumerate(padded) if size == 1)
    return np.reshape(gradient.sum(axis=summed), shape)
