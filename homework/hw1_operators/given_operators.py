"""Right and wrong operators for `check_gradients` to judge, and a numeric gradient for it to use.

The grader draws the numbers that make an operator right or wrong.
"""

import numpy as np


def numeric_gradient(f, x, h=1e-4):
    """By four points, so that an earlier mistake is charged once."""
    flat, slopes = np.ravel(x).astype(np.float64), []
    for unit in np.eye(flat.size):
        near, far = (
            f((flat + s * unit).reshape(x.shape)) - f((flat - s * unit).reshape(x.shape))
            for s in (h, 2 * h)
        )
        slopes.append((8 * near - far) / (12 * h))
    return np.reshape(slopes, x.shape)


class Product:
    """y = scale · u ∘ v.

    Its gradients are multiplied by factors; du is put in an order, and gets further axes.
    """

    def __init__(self, scale=1.0, of_u=1.0, of_v=1.0, order=None, axes=0):
        self.scale, self.order, self.axes = scale, order, axes
        self.factors = [np.asarray(factor, np.float64) for factor in (of_u, of_v)]

    def forward(self, u, v):
        self.u, self.v = u, v
        return self.scale * u * v

    def backward(self, dy):
        du = self.scale * dy * self.v * self.factors[0]
        dv = self.scale * dy * self.u * self.factors[1]
        if self.order is not None:
            du = du.ravel()[self.order].reshape(du.shape)
        return du.reshape((1,) * self.axes + du.shape), dv


class Cosine:
    """y = cos x, with the derivative sign · sin x."""

    def __init__(self, sign):
        self.sign = sign

    def forward(self, x):
        self.x = x
        return np.cos(x)

    def backward(self, dy):
        return self.sign * dy * np.sin(self.x)


class Centre:
    """y = x - mean x, with its gradient multiplied by a factor."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def forward(self, x):
        return x - x.mean()

    def backward(self, dy):
        return self.factor * (dy - dy.mean())
