"""The gradient as it came."""


def unbroadcast(gradient, shape):
    return gradient
