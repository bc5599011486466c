"""New leading axes stay as axes of size 1."""


def unbroadcast(gradient, shape):
    added = gradient.ndim - len(shape)
    stretched = (added + axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=(*range(added), *stretched), keepdims=True)
