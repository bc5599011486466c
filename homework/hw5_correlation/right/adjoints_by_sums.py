"""Each gradient by its own sum, without the two functions."""

import numpy as np


def correlation_dx(dy, w):
    dx = np.zeros(len(dy) + len(w) - 1)
    for j in range(len(w)):
        dx[j : j + len(dy)] += dy * w[j]
    return dx


def correlation_dw(x, dy):
    return np.array([x[j : j + len(dy)] @ dy for j in range(len(x) - len(dy) + 1)])


def convolution_dx(dy, w):
    n = len(dy) - len(w) + 1
    return np.sum([dy[j : j + n] * w[j] for j in range(len(w))], axis=0)


def convolution_dw(x, dy):
    return np.array([dy[j : j + len(x)] @ x for j in range(len(dy) - len(x) + 1)])
