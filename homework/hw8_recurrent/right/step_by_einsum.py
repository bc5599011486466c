"""Index by index, and tanh from exponentials."""

import numpy as np


def rnn_step(x, h, params):
    a = np.einsum("ni,oi->no", x, params["W_x"]) + np.einsum("nk,ok->no", h, params["W_h"])
    small = np.exp(-2 * np.abs(a + params["b_x"] + params["b_h"]))
    return np.sign(a + params["b_x"] + params["b_h"]) * (1 - small) / (1 + small)


def rnn_step_backward(dh_new, x, h, h_new, params):
    da = (1 - h_new) * (1 + h_new) * dh_new
    grads = {"b_h": np.einsum("no->o", da), "b_x": np.einsum("no->o", da)}
    grads["W_h"] = np.einsum("no,nk->ok", da, h)
    grads["W_x"] = np.einsum("no,ni->oi", da, x)
    return np.einsum("no,oi->ni", da, params["W_x"]), da.dot(params["W_h"]), grads
