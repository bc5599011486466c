"""Derivatives written in y."""

import numpy as np


def exp(u):
    y = np.exp(u.value)
    return Node(y, [u], [lambda dy: dy * y])


def sqrt(u):
    y = u.value**0.5
    return Node(y, (u,), (lambda dy: 0.5 * dy / y,))


def square(u):
    node = mul(u, u)
    return Node(node.value, [u], [lambda dy: sum(vjp(dy) for vjp in node.vjps)])


def total(u):
    return Node(u.value.sum(), [u], [lambda dy: dy * np.ones_like(u.value)])
