"""Number by number."""

import numpy as np


def product_backward(W, x, dz):
    dW, dx = np.zeros(W.shape), np.zeros(x.shape)
    for i in range(len(dz)):
        for j in range(len(x)):
            dW[i, j] = dz[i] * x[j]
            dx[j] += dz[i] * W[i, j]
    return dW, dx


def chain_backward(J, dz):
    return np.array([sum(J[i, j] * dz[i] for i in range(len(dz))) for j in range(J.shape[1])])


def map_backward(slopes, dz):
    return np.array([a * b for a, b in zip(slopes, dz, strict=True)], dtype=float)
