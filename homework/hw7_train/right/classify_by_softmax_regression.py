"""No hidden layer, and gradient descent on all images."""

import numpy as np


def classify(x, labels, unknown, rng):
    centre = x.mean(axis=0)
    x, unknown = x - centre, unknown - centre
    one_hot, W, v = np.eye(10)[labels], np.zeros((x.shape[1], 10)), 0.0
    for _ in range(150):
        scores = np.exp(x @ W - (x @ W).max(axis=1, keepdims=True))
        p = scores / scores.sum(axis=1, keepdims=True)
        v = 0.9 * v + x.T @ (p - one_hot) / len(x)
        W = W - 0.1 * v
    return (unknown @ W).argmax(axis=1)
