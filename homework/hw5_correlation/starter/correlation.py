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
    raise NotImplementedError


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
    raise NotImplementedError


def correlation_dx(dy, w):
    """dL/dx for y = correlate(x, w). `dy` has y's shape, dx has x's."""
    raise NotImplementedError


def correlation_dw(x, dy):
    """dL/dw for y = correlate(x, w). `dy` has y's shape, dw has w's."""
    raise NotImplementedError


def convolution_dx(dy, w):
    """dL/dx for y = convolve(x, w). `dy` has y's shape, dx has x's."""
    raise NotImplementedError


def convolution_dw(x, dy):
    """dL/dw for y = convolve(x, w). `dy` has y's shape, dw has w's."""
    raise NotImplementedError


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
    raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """dL/dx; leaves dL/dW and dL/db in `self.grads`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of x's shape
        """
        raise NotImplementedError


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
        raise NotImplementedError

    def backward(self, dy):
        """dL/dx; leaves dL/dW and dL/db in `self.grads`.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of x's shape
        """
        raise NotImplementedError
