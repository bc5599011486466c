"""Correlation as in a textbook: one channel pair of one sample at a time, by scipy.signal.

    padding    puts zeros to the ends of x        stride     keeps every s-th result
    dilation   puts zeros between the weights

so that what is left in the middle is y = x ⊙ w, and its gradients are those of [Proofs] 7:
dx = dy ⊗ w (full) and dw = x ⊙ dy (valid). Slow, and for any number of axes of space; there,
`stride` and `dilation` have an int and `padding` a pair (before, after) per axis.
"""

import numpy as np
from scipy import signal


def spread(a, step):
    """Put step - 1 zeros between the elements of a, along each axis."""
    lengths = [(n - 1) * s + 1 for n, s in zip(a.shape, step, strict=True)]
    wide = np.zeros(lengths, a.dtype)
    wide[every(step)] = a
    return wide


def every(step):
    """The index of each step-th element along each axis."""
    return tuple(slice(None, None, s) for s in step)


def without(padding, space):
    """The index of what is no padding."""
    return tuple(
        slice(before, n - after) for n, (before, after) in zip(space, padding, strict=True)
    )


def padded(space, padding):
    return [n + before + after for n, (before, after) in zip(space, padding, strict=True)]


def channel_pairs(x, W):
    """(sample, out channel, in channel), each with each."""
    return np.ndindex(len(x), *W.shape[:2])


class Correlation:
    """y = x ⊙ W + b, with W (out, in, *kernel)."""

    def __init__(self, W, b, stride, padding, dilation):
        self.W, self.b = W, b
        self.stride, self.padding, self.dilation = stride, padding, dilation

    def forward_pass(self, x):
        space = [
            (n - d * (k - 1) - 1) // s + 1
            for n, k, s, d in zip(
                padded(x.shape[2:], self.padding),
                self.W.shape[2:],
                self.stride,
                self.dilation,
                strict=True,
            )
        ]
        y = np.zeros((len(x), len(self.W), *space))
        for n, o, c in channel_pairs(x, self.W):
            wide, w = np.pad(x[n, c], self.padding), spread(self.W[o, c], self.dilation)
            y[n, o] += signal.correlate(wide, w, "valid", "direct")[every(self.stride)]
        return y + shaped(self.b, x)

    def backward_pass(self, dy, x):
        dx = np.zeros(x.shape)
        space = padded(x.shape[2:], self.padding)
        for n, o, c in channel_pairs(x, self.W):
            wide = np.zeros(space)  # the end stays zero where no window reaches it
            w = spread(self.W[o, c], self.dilation)
            reached = signal.convolve(spread(dy[n, o], self.stride), w, "full", "direct")
            wide[tuple(map(slice, reached.shape))] = reached
            dx[n, c] += wide[without(self.padding, space)]
        return dx

    def gradient_pass(self, dy, x):
        dW = np.zeros(self.W.shape)
        kernel = [d * (k - 1) + 1 for k, d in zip(self.W.shape[2:], self.dilation, strict=True)]
        for n, o, c in channel_pairs(x, self.W):
            wide = np.pad(x[n, c], self.padding)
            dy_wide = spread(dy[n, o], self.stride)
            dw = signal.correlate(wide, dy_wide, "valid", "direct")
            dW[o, c] += dw[tuple(map(slice, kernel))][every(self.dilation)]
        return {"W": dW, "b": over_space(dy)}


class Convolution(Correlation):
    """y = x ⊗ W + b: the correlation with the kernel flipped along each axis of space."""

    def __init__(self, W, b, stride, padding, dilation):
        super().__init__(flipped(W), b, stride, padding, dilation)

    def gradient_pass(self, dy, x):
        grads = super().gradient_pass(dy, x)
        return {**grads, "W": flipped(grads["W"])}


class ConvTranspose:
    """y = (x spread out by the stride) ⊗ W + b without the padding, with W (in, out, *kernel)."""

    def __init__(self, W, b, stride, padding):
        self.W, self.b = W, b
        self.back = Correlation(W, np.zeros(len(W)), stride, padding, [1] * len(stride))

    def forward_pass(self, x):
        whole = [
            (n - 1) * s + k
            for n, s, k in zip(x.shape[2:], self.back.stride, self.W.shape[2:], strict=True)
        ]
        y = np.zeros((len(x), self.W.shape[1], *whole))
        for n, c, o in channel_pairs(x, self.W):
            x_wide = spread(x[n, c], self.back.stride)
            y[n, o] += signal.convolve(x_wide, self.W[c, o], "full", "direct")
        return y[(..., *without(self.back.padding, whole))] + shaped(self.b, x)

    def backward_pass(self, dy, x):
        return self.back.forward_pass(dy)

    def gradient_pass(self, dy, x):
        return {"W": self.back.gradient_pass(x, dy)["W"], "b": over_space(dy)}


def flipped(W):
    return np.flip(W, tuple(range(2, W.ndim)))


def shaped(b, x):
    """b with an axis of length 1 for each axis of space."""
    return b.reshape(-1, *[1] * (x.ndim - 2))


def over_space(dy):
    """db: the sum over all but the channels."""
    return dy.sum((0, *range(2, dy.ndim)))
