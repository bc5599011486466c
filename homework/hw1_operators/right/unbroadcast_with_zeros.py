"""Every number is added at the index from which broadcasting copied."""

import numpy as np


def unbroadcast(gradient, shape):
    summed = np.zeros(shape)
    padded = (1,) * (gradient.ndim - len(shape)) + tuple(shape)
    for index in np.ndindex(gradient.shape):
        origin = tuple(0 if size == 1 else i for i, size in zip(index, padded, strict=True))
        summed[origin[gradient.ndim - len(shape) :]] += gradient[index]
    return summed
