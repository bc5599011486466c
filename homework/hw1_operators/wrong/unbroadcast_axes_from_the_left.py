"""Shapes aligned at the left, where NumPy aligns them at the right."""

import numpy as np


def unbroadcast(gradient, shape):
    stretched = tuple(i for i, n in enumerate(gradient.shape) if i >= len(shape) or shape[i] != n)
    return np.resize(gradient.sum(axis=stretched, keepdims=True), shape)
