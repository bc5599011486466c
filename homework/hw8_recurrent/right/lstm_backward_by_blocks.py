"""The blocks of da written into one array."""

import numpy as np


def lstm_step_backward(dh_new, dc_new, x, h, c, c_new, gates, params):
    (i, f, g, o), n = gates, h.shape[1]
    t, da = np.tanh(c_new), np.empty((len(x), 4 * h.shape[1]))
    total = dh_new * o - dh_new * o * t * t + dc_new
    da[:, :n] = total * g * (i - i * i)
    da[:, n : 2 * n] = total * c * (f - f * f)
    da[:, 2 * n : 3 * n] = total * i * (1 - g) * (1 + g)
    da[:, 3 * n :] = dh_new * t * (o - o * o)
    grads = {name: np.einsum("no,ni->oi", da, v) for name, v in (("W_x", x), ("W_h", h))}
    grads["b_x"] = grads["b_h"] = da.sum(axis=0)
    return da @ params["W_x"], da @ params["W_h"], total * f, grads
