"""The loss is the sum of y, though backward got a random dy."""

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
            return np.sum(operator.forward(*others))

        numeric = numeric_gradient(loss, x)
        if gradient.shape != numeric.shape:
            return False
        if not np.max(np.abs(gradient - numeric)) <= 1e-5 * np.max(np.abs(numeric)):
            return False
    return True
