"""Correlation and convolution, and the layers that are made of them.

Signals are arrays of shape (length,); in the layers they are (batch, channels, length), and images
(batch, channels, rows, columns). Write NumPy only, without its `correlate` and `convolve`, and
never write into an array that you were given. Replace each `raise NotImplementedError`; the
formulas and their reasons are in README.md.
"""

import numpy as np


def correlate(x, w):
    """y_i = Σ_j x_{i+j} w_j, at all places i where the whole of w lies on x ("valid").

    Parameters
    ----------
    x : array of shape (n,)
    w : array of shape (k,), k <= n

    Returns
    -------
    y : array of shape (n - k + 1,)
    """
    # BEGIN SOLUTION
    positions = len(x) - len(w) + 1
    return sum(w_j * x[j : j + positions] for j, w_j in enumerate(w))
    # END SOLUTION


def convolve(x, w):
    """y_i = Σ_j x_{i-j} w_j, at all places i where any of w lies on x ("full").

    Parameters
    ----------
    x : array of shape (n,)
    w : array of shape (k,)

    Returns
    -------
    y : array of shape (n + k - 1,)
    """
    # BEGIN SOLUTION
    y = np.zeros(len(x) + len(w) - 1)
    for j, w_j in enumerate(w):
        y[j : j + len(x)] += x * w_j
    return y
    # END SOLUTION


def correlation_dx(dy, w):
    """dL/dx for y = correlate(x, w). `dy` has y's shape, dx has x's."""
    # BEGIN SOLUTION
    return convolve(dy, w)
    # END SOLUTION


def correlation_dw(x, dy):
    """dL/dw for y = correlate(x, w). `dy` has y's shape, dw has w's."""
    # BEGIN SOLUTION
    return correlate(x, dy)
    # END SOLUTION


def convolution_dx(dy, w):
    """dL/dx for y = convolve(x, w). `dy` has y's shape, dx has x's."""
    # BEGIN SOLUTION
    return correlate(dy, w)
    # END SOLUTION


def convolution_dw(x, dy):
    """dL/dw for y = convolve(x, w). `dy` has y's shape, dw has w's."""
    # BEGIN SOLUTION
    return correlate(dy, x)
    # END SOLUTION


def is_adjoint(f, g, n, m):
    """Whether ⟨f(x), y⟩ = ⟨x, g(y)⟩ for all x and y: g is then the backward pass of f.

    Parameters
    ----------
    f, g : linear functions
        f of arrays of shape (n,), g of arrays of shape (m,). Both may be wrong in any way: a result
        of another shape than (m,) for f or (n,) for g, or with NaN in it, is not adjoint.
    n, m : int

    Returns
    -------
    bool
        True if the two sides differ by no more than 1e-9 · ‖f(x)‖ · ‖y‖ for random x and y.
    """
    # BEGIN SOLUTION
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=n), rng.normal(size=m)
    fx, gy = f(x), g(y)
    if fx.shape != y.shape or gy.shape != x.shape:
        return False
    return bool(abs(fx @ y - x @ gy) <= 1e-9 * np.linalg.norm(fx) * np.linalg.norm(y))
    # END SOLUTION


class Correlation1d:
    """y_o = b_o + Σ_c x_c ⊙ w_oc: each channel of y has a kernel for every channel of x.

    Parameters
    ----------
    in_channels, out_channels, kernel_size : int
    stride : int
        From one window to the next.
    padding : int
        Zeros that are put before x and behind it.
    rng : int or numpy.random.Generator, optional
        Draws W; b starts at zero.

    Attributes
    ----------
    params : dict
        "W" of shape (out_channels, in_channels, kernel_size), "b" of shape (out_channels,).
        Read them afresh in every call.
    grads : dict
        After `backward` the gradients, under the same names and in the same shapes.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, rng=None):
        # This much is given.
        limit = np.sqrt(6 / ((in_channels + out_channels) * kernel_size))
        shape = (out_channels, in_channels, kernel_size)
        W = np.random.default_rng(rng).uniform(-limit, limit, shape)
        self.params = {"W": W, "b": np.zeros(out_channels)}
        self.grads = {}
        self.stride, self.padding = stride, padding

    def forward(self, x):
        """y_noi = b_o + Σ_c Σ_j x_{n,c,si+j} W_ocj for stride s and the padded x.

        Parameters
        ----------
        x : array of shape (batch, in_channels, length)

        Returns
        -------
        y : array of shape (batch, out_channels, positions)
            positions = ⌊(length + 2 padding - kernel_size) / stride⌋ + 1.
        """
        # BEGIN SOLUTION
        W, s, p = self.params["W"], self.stride, self.padding
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p)))
        count = (self.x.shape[2] - W.shape[2]) // s + 1
        y = self.params["b"][:, None] + np.zeros((len(x), len(W), count))
        for j in range(W.shape[2]):
            y += np.einsum("nci,oc->noi", self.x[:, :, j : j + s * count : s], W[:, :, j])
        return y
        # END SOLUTION

    def backward(self, dy):
        """dL/dx; leaves dL/dW and dL/db in `self.grads`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of x's shape
        """
        # BEGIN SOLUTION
        W, s, p = self.params["W"], self.stride, self.padding
        dx, dW = np.zeros(self.x.shape), np.zeros(W.shape)
        for j in range(W.shape[2]):
            seen = slice(j, j + s * dy.shape[2], s)
            dW[:, :, j] = np.einsum("noi,nci->oc", dy, self.x[:, :, seen])
            dx[:, :, seen] += np.einsum("noi,oc->nci", dy, W[:, :, j])
        self.grads = {"W": dW, "b": dy.sum(axis=(0, 2))}
        return dx[:, :, p : dx.shape[2] - p]
        # END SOLUTION


class Correlation2d:
    """The same for images: windows of rows and columns.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : (int, int)
        Rows and columns of a window.
    stride, padding : int
        Along both axes; zeros are put on all four sides.
    rng : int or numpy.random.Generator, optional

    Attributes
    ----------
    params, grads : dict
        "W" of shape (out_channels, in_channels, *kernel_size), "b" of shape (out_channels,).
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, rng=None):
        # This much is given.
        shape = (out_channels, in_channels, *kernel_size)
        limit = np.sqrt(6 / ((in_channels + out_channels) * np.prod(kernel_size)))
        W = np.random.default_rng(rng).uniform(-limit, limit, shape)
        self.params = {"W": W, "b": np.zeros(out_channels)}
        self.grads = {}
        self.stride, self.padding = stride, padding

    def forward(self, x):
        """y_noik = b_o + Σ_c Σ_j Σ_m x_{n,c,si+j,sk+m} W_ocjm for the padded x.

        Parameters
        ----------
        x : array of shape (batch, in_channels, rows, columns)

        Returns
        -------
        y : array of shape (batch, out_channels, positions down, positions across)
        """
        # BEGIN SOLUTION
        W, s, p = self.params["W"], self.stride, self.padding
        self.x = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        down, across = ((self.x.shape[a] - W.shape[a]) // s + 1 for a in (2, 3))
        y = self.params["b"][:, None, None] + np.zeros((len(x), len(W), down, across))
        for j, m in np.ndindex(W.shape[2:]):
            seen = self.x[:, :, j : j + s * down : s, m : m + s * across : s]
            y += np.einsum("ncik,oc->noik", seen, W[:, :, j, m])
        return y
        # END SOLUTION

    def backward(self, dy):
        """dL/dx; leaves dL/dW and dL/db in `self.grads`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of x's shape
        """
        # BEGIN SOLUTION
        W, s, p = self.params["W"], self.stride, self.padding
        dx, dW = np.zeros(self.x.shape), np.zeros(W.shape)
        down, across = (s * n for n in dy.shape[2:])
        for j, m in np.ndindex(W.shape[2:]):
            seen = (..., slice(j, j + down, s), slice(m, m + across, s))
            dW[:, :, j, m] = np.einsum("noik,ncik->oc", dy, self.x[seen])
            dx[seen] += np.einsum("noik,oc->ncik", dy, W[:, :, j, m])
        self.grads = {"W": dW, "b": dy.sum(axis=(0, 2, 3))}
        return dx[:, :, p : dx.shape[2] - p, p : dx.shape[3] - p]
        # END SOLUTION
