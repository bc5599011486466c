"""New leading axes are forgotten."""


def unbroadcast(gradient, shape):
    added = gradient.ndim - len(shape)
    stretched = tuple(added + axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=stretched, keepdims=True)
