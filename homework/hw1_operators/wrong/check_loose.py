"""A tolerance of 5 %."""

import numpy as np


def check_gradients(operator, *inputs):
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
        if not np.max(np.abs(gradient - numeric)) <= 0.05 * np.max(np.abs(numeric)):
            return False
    return True
