"""Without an inverse matrix."""

import numpy as np


def determinant_gradient(X):
    return np.linalg.solve(X.T, np.linalg.det(X) * np.eye(len(X)))


def inverse_gradient(a, X, b):
    return -np.linalg.solve(X.T, a)[:, None] * np.linalg.solve(X, b)


def quadratic_gradient(B, x):
    return B @ x + x @ B


def weighted_square_gradient(x, A, s, W):
    rest = x - A @ s
    return -(A.T @ (W + W.T) @ rest)
