"""Each derivative by its indices."""

import numpy as np


def product_by_A(A, x):
    m, n = A.shape
    J = np.zeros((m, m, n))
    for i in range(m):
        for q in range(n):
            J[i, i, q] = x[q]
    return J


def gram_jacobian(B):
    m, n = B.shape
    J = np.zeros((n, n, m, n))
    for p, q, i, j in np.ndindex(J.shape):
        J[p, q, i, j] = (j == p) * B[i, q] + (j == q) * B[i, p]
    return J


def map_jacobian(slopes):
    J = np.zeros(slopes.shape + slopes.shape)
    for place in np.ndindex(slopes.shape):
        J[place + place] = slopes[place]
    return J


def softmax_jacobian(x):
    y = np.exp(x - max(x)) / sum(np.exp(x - max(x)))
    return np.array([[y[i] * ((i == j) - y[j]) for j in range(len(x))] for i in range(len(x))])
