"""float32 to save memory."""

import numpy as np


def unbroadcast(gradient, shape):
    added = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(added)), dtype=np.float32)
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=stretched, keepdims=True)
