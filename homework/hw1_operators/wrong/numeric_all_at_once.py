"""All elements are moved together."""


def numeric_gradient(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)
