"""The matrix products of a step alone, into arrays that exist: what is left is not BLAS's.

The matrices have the shapes and memory orders that nnscratch gives them. No minibatch is gathered,
nothing is padded, added, activated or updated; the first layer's dx, which nobody reads, is left
out, and so are the biases.
"""

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided


def products(case, x, y, weights):
    matrices = matrices_of(case.net, case.batch_size)

    def train(samples, epochs):
        for _ in range(epochs * -(-samples // case.batch_size)):
            for a, b, out in matrices:
                np.matmul(a, b, out=out)
        return math.nan

    return train


def matrices_of(net, batch_size):
    """[(a, b, out)] of all products of a step, in the order in which they are computed."""
    rng = np.random.default_rng(0)
    forward, backward = [], []
    space = net.shape[1:]
    for i, (kind, *sizes) in enumerate(net.layers):
        if kind == "linear":
            y, dW, dx = linear(*sizes, batch_size, rng)
        elif kind == "conv":
            inputs, outputs, k, padding = sizes
            y, dW, dx = conv(inputs, outputs, k, padding, *space, batch_size, rng)
            space = tuple(n + 2 * padding - k + 1 for n in space)
        else:
            space = tuple(n // 2 for n in space) if kind == "pool" else space
            continue
        forward += [y]
        backward = [dW, *(dx if i > 0 else []), *backward]
    return forward + backward


def linear(inputs, outputs, samples, rng):
    """y = x Wᵀ, dW = dyᵀ x and dx = dy W, with W and dW in (in, out) memory."""
    x, dy = normal(rng, samples, inputs), normal(rng, samples, outputs)
    W = np.asfortranarray(normal(rng, outputs, inputs))
    dW = np.empty_like(W)
    return (x, W.T, np.empty_like(dy)), (dy.T, x, dW), [(dy, W, np.empty_like(x))]


def conv(inputs, outputs, k, padding, height, width, samples, rng):
    """The products of nnscratch/layers/spatial/im2col.py: one per row of the image."""
    out_h, out_w = height + 2 * padding - k + 1, width + 2 * padding - k + 1
    gathered = normal(rng, height + 2 * padding, k * inputs, out_w * samples)
    K = k * k * inputs
    rows = as_strided(gathered, (out_h, K, out_w * samples), gathered.strides, writeable=False)
    W, dy = normal(rng, outputs, K), normal(rng, out_h, outputs, out_w * samples)
    y = W, rows, np.empty_like(dy)
    dW = rows, dy.swapaxes(1, 2), np.empty((out_h, K, outputs), np.float32)
    upside_down = normal(rng, k * inputs, k * outputs)
    dx = []
    for h in range(padding, padding + height):  # each row sees the windows that saw it
        seers = dy[max(0, h - k + 1) : min(h + 1, out_h)]
        seers = seers.reshape(-1, out_w * samples)
        out = np.empty((k * inputs, out_w * samples), np.float32)
        dx.append((upside_down[:, : len(seers)].copy(), seers, out))
    return y, dW, dx


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)
