"""The cheap trick: all gradients start at zero, and everything is added."""

import numpy as np


def mlp_backward(x, params, z, dout):
    g = {name: np.zeros(np.shape(a)) for name, a in {**params, **z, "x": x}.items()}
    inputs = {"z1": ("W1", "x"), "z4": ("W2", "z3"), "z7": ("W3", "z6")}
    sums = {"out": ("z7", "b3"), "z5": ("z4", "b2"), "z2": ("z1", "b1")}
    g["out"] += dout
    for name in ("out", "z7", "z6", "z5", "z4", "z3", "z2", "z1"):
        if name in sums:
            for parent in sums[name]:
                g[parent] += g[name]
        elif name in inputs:
            W, below = inputs[name]
            g[W] += np.outer(g[name], x if below == "x" else z[below])
            g[below] += params[W].T @ g[name]
        else:
            g[f"z{int(name[1]) - 1}"] += g[name] * (z[f"z{int(name[1]) - 1}"] > 0)
    return g
