"""The mean over the copies."""


def unbroadcast(gradient, shape):
    added = gradient.ndim - len(shape)
    gradient = gradient.mean(axis=tuple(range(added)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return gradient.mean(axis=stretched, keepdims=True)
