"""Small nets for the pictures: layers as plain as can be, one with a state that may not move."""

import numpy as np

import nnscratch as nn
from nnscratch.layers.base import floating


class Filters(nn.Layer):
    """Each output channel is the input channels, weighted by W (out, in, 1, 1)."""

    def __init__(self, in_channels, out_channels, rng=0):
        W = np.random.default_rng(rng).normal(size=(out_channels, in_channels, 1, 1))
        self.params = {"W": W.astype(np.float32)}

    def forward_pass(self, x):
        x = floating(x, self.dtype)
        weights = self.params["W"][:, :, 0, 0]
        y = np.einsum("nchw,oc->hown", x, weights)  # batch innermost
        return y.transpose(3, 1, 0, 2), x

    def backward_pass(self, dy, x):
        return np.einsum("nohw,oc->nchw", dy, self.params["W"][:, :, 0, 0])

    def gradient_pass(self, dy, x):
        return {"W": np.einsum("nohw,nchw->oc", dy, x)[..., None, None]}


class Running(nn.Layer):
    """Subtracts a running mean, which training moves."""

    def __init__(self):
        self.buffers = {"mean": np.full(1, 0.5, np.float32)}

    def forward_pass(self, x):
        if self.training:
            self.buffers["mean"] = 0.9 * self.buffers["mean"] + 0.1 * x.mean()
        return x - self.buffers["mean"], None

    def backward_pass(self, dy, cache):
        return dy


def conv_net(channels=1, pixels=36, classes=4):
    return nn.Sequential(
        Filters(channels, 5),
        Running(),
        nn.Sequential(nn.Tanh(), Filters(5, 3, rng=1), nn.ReLU()),
        nn.Dropout(0.5, rng=0),
        nn.Flatten(),
        nn.Linear(3 * pixels, classes, rng=2),
    )
