"""det X X⁻ᵀ is the matrix of the cofactors."""

import numpy as np


def determinant_gradient(X):
    C = np.zeros(X.shape)
    for i, j in np.ndindex(X.shape):
        minor = np.delete(np.delete(X, i, axis=0), j, axis=1)
        C[i, j] = (-1) ** (i + j) * np.linalg.det(minor)
    return C


def bilinear_gradient(a, X, b):
    return a.reshape(-1, 1) @ b.reshape(1, -1)
