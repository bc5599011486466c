"""One loop for the three layers."""

import numpy as np


def mlp_forward(x, params):
    z, y = {}, x
    for i in (1, 2, 3):
        z[f"z{3 * i - 2}"] = params[f"W{i}"].dot(y)
        z[f"z{3 * i - 1}" if i < 3 else "out"] = y = z[f"z{3 * i - 2}"] + params[f"b{i}"]
        if i < 3:
            z[f"z{3 * i}"] = y = np.where(y > 0, y, 0.0)
    return z


def mlp_backward(x, params, z, dout):
    g, dz = {}, dout
    for i in (3, 2, 1):
        if i < 3:
            g[f"z{3 * i - 1}"] = dz = dz * (z[f"z{3 * i}"] > 0)
        g[f"b{i}"] = g[f"z{3 * i - 2}"] = dz
        below = x if i == 1 else z[f"z{3 * i - 3}"]
        g[f"W{i}"] = dz[:, None] * below
        dz = dz @ params[f"W{i}"]
        g["x" if i == 1 else f"z{3 * i - 3}"] = dz
    return g
