"""Operators with their gradients, and a checker that finds a wrong one."""

import numpy as np


def unbroadcast(gradient, shape):
    """Sum a gradient over the copies that broadcasting made, back to a shape."""
    added = gradient.ndim - len(shape)
    gradient = gradient.sum(axis=tuple(range(added)))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return gradient.sum(axis=stretched, keepdims=True)


class Add:
    """y = u + v."""

    def forward(self, u, v):
        self.u, self.v = u, v
        return u + v

    def backward(self, dy):
        return unbroadcast(dy, self.u.shape), unbroadcast(dy, self.v.shape)


class Sub:
    """y = u - v."""

    def forward(self, u, v):
        self.u, self.v = u, v
        return u - v

    def backward(self, dy):
        return unbroadcast(dy, self.u.shape), unbroadcast(-dy, self.v.shape)


class Mul:
    """y = u ∘ v."""

    def forward(self, u, v):
        self.u, self.v = u, v
        return u * v

    def backward(self, dy):
        du = unbroadcast(dy * self.v, self.u.shape)
        dv = unbroadcast(dy * self.u, self.v.shape)
        return du, dv


class Div:
    """y = u / v."""

    def forward(self, u, v):
        self.u, self.v = u, v
        return u / v

    def backward(self, dy):
        du = unbroadcast(dy / self.v, self.u.shape)
        dv = unbroadcast(-dy * self.u / self.v**2, self.v.shape)
        return du, dv


class MatMul:
    """Y = A B."""

    def forward(self, A, B):
        self.A, self.B = A, B
        return A @ B

    def backward(self, dY):
        return dY @ self.B.T, self.A.T @ dY


class Sin:
    """y = sin x."""

    def forward(self, x):
        self.x = x
        return np.sin(x)

    def backward(self, dy):
        return dy * np.cos(self.x)


class Cos:
    """y = cos x."""

    def forward(self, x):
        self.x = x
        return np.cos(x)

    def backward(self, dy):
        return -dy * np.sin(self.x)


def numeric_gradient(f, x, h=1e-5):
    """The gradient of a function of an array, by central differences."""
    gradient = np.zeros(x.shape)
    moved = x.astype(np.float64)  # a copy, in which x + h is not rounded to a whole number
    for place in np.ndindex(x.shape):
        here = moved[place]
        moved[place] = here + h
        above = f(moved)
        moved[place] = here - h
        below = f(moved)
        moved[place] = here
        gradient[place] = (above - below) / (2 * h)
    return gradient


def check_gradients(operator, *inputs):
    """Whether an operator's backward agrees with numeric gradients of its forward."""
    dy = np.random.default_rng(0).normal(size=operator.forward(*inputs).shape)
    gradients = operator.backward(dy)
    if len(inputs) == 1:
        gradients = (gradients,)

    for i, (x, gradient) in enumerate(zip(inputs, gradients, strict=True)):

        def loss(moved, i=i):
            others = list(inputs)
            others[i] = moved
            return np.sum(dy * operator.forward(*others))

        numeric = numeric_gradient(loss, x)
        if gradient.shape != numeric.shape:
            return False
        # written so that NaN, which is in no order with anything, is refused
        if not np.max(np.abs(gradient - numeric)) <= 1e-5 * np.max(np.abs(numeric)):
            return False
    return True
