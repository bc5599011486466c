"""One sample after the other, as the formulas for one sample say."""

import numpy as np


def rnn_step(x, h, params):
    b = params["b_x"] + params["b_h"]
    pairs = zip(x, h, strict=True)
    return np.array([np.tanh(params["W_x"] @ u + params["W_h"] @ s + b) for u, s in pairs])


def rnn_step_backward(dh_new, x, h, h_new, params):
    dx, dh = np.zeros_like(x), np.zeros_like(h)
    grads = {name: np.zeros_like(array) for name, array in params.items()}
    for n in range(len(x)):
        da = dh_new[n] * (1 - h_new[n] * h_new[n])
        dx[n], dh[n] = params["W_x"].T @ da, params["W_h"].T @ da
        grads["W_x"] += np.outer(da, x[n])
        grads["W_h"] += np.outer(da, h[n])
        for name in ("b_x", "b_h"):
            grads[name] += da
    return dx, dh, grads
