"""Stretched axes vanish."""


def unbroadcast(gradient, shape):
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    return gradient.sum(axis=tuple(axis for axis, size in enumerate(shape) if size == 1))
