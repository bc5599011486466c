"""No return."""


def unbroadcast(gradient, shape):
    added = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(added)))
