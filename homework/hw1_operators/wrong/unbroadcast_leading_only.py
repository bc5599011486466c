"""Axes of size 1 are forgotten."""


def unbroadcast(gradient, shape):
    added = gradient.ndim - len(shape)
    return gradient.sum(axis=tuple(range(added)))
