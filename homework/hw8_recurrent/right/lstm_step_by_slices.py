"""Slices for the blocks, and the sigmoid by its definition."""

import numpy as np


def lstm_step(x, h, c, params):
    a = np.concatenate([x, h], axis=1) @ np.concatenate([params["W_x"], params["W_h"]], axis=1).T
    a, n = a + params["b_x"] + params["b_h"], h.shape[1]
    with np.errstate(over="ignore"):
        s = 1 / (1 + np.exp(-a))
    i, f, g, o = s[:, :n], s[:, n : 2 * n], np.tanh(a[:, 2 * n : 3 * n]), s[:, 3 * n :]
    memory = f * c + i * g
    return np.tanh(memory) * o, memory, [i, f, g, o]
