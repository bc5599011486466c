"""np.allclose on gradients of size 1, and another dy."""

import numpy as np


def check_gradients(operator, *inputs):
    y = operator.forward(*inputs)
    dy = np.random.default_rng(7).uniform(0.5, 1.5, y.shape)
    dy[::2] *= -1
    got = operator.backward(dy)
    got = got if isinstance(got, (tuple, list)) else [got]
    verdicts = []
    for i in range(len(inputs)):

        def loss(x, i=i):
            return float(np.sum(operator.forward(*inputs[:i], x, *inputs[i + 1 :]) * dy))

        numeric = numeric_gradient(loss, inputs[i])
        size = np.abs(numeric).max()
        same_shape = got[i].shape == inputs[i].shape
        verdicts.append(
            same_shape and np.allclose(got[i] / size, numeric / size, rtol=0, atol=1e-5)
        )
    return all(verdicts)
