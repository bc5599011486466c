"""Six rules, a network taken apart by them, and the network moved along a sequence.

Vectors are arrays of shape (n,), and every gradient has the shape of what it is the gradient of.
Write NumPy only, and never write into an array that you were given. Replace each
`raise NotImplementedError`; the formulas and their reasons are in README.md.
"""

import numpy as np

# Rules ------------------------------------------------------------------------------------------


def product_backward(W, x, dz):
    """Rule 1, z = Wx: returns dW, dx.

    Parameters
    ----------
    W : array of shape (n, m)
    x : array of shape (m,)
    dz : array of shape (n,)
    """
    raise NotImplementedError


def sum_backward(dz):
    """Rule 2, z = x + y: returns dx, dy, both of dz's shape."""
    raise NotImplementedError


def chain_backward(J, dz):
    """Rule 3, z = g(x) with the Jacobian J_ij = ∂z_i/∂x_j: returns dx.

    Parameters
    ----------
    J : array of shape (n, m)
    dz : array of shape (n,)
    """
    raise NotImplementedError


def branches_backward(Js, dzs):
    """Rule 4, z_1 = g_1(x), z_2 = g_2(x), ...: returns dx.

    Parameters
    ----------
    Js : list of arrays, the i-th of shape (n_i, m)
        The Jacobian of each g_i.
    dzs : list of arrays, the i-th of shape (n_i,)
    """
    raise NotImplementedError


def hadamard_backward(x, y, dz):
    """Rule 5, z = x ∘ y, element by element: returns dx, dy."""
    raise NotImplementedError


def map_backward(slopes, dz):
    """Rule 6, z_i = g(x_i) for each element, with slopes_i = g'(x_i): returns dx."""
    raise NotImplementedError


# The network in unary and binary steps ----------------------------------------------------------


def mlp_forward(x, params):
    """A network with two hidden layers, one step after the other.

    Parameters
    ----------
    x : array of shape (n,)
    params : dict
        "W1" (h1, n), "b1" (h1,), "W2" (h2, h1), "b2" (h2,), "W3" (out, h2), "b3" (out,).

    Returns
    -------
    z : dict of str to array
        "z1" to "z7" as in README.md, and "out".
    """
    raise NotImplementedError


def mlp_backward(x, params, z, dout):
    """The gradient by everything in the network.

    Parameters
    ----------
    x, params
        What `mlp_forward` received.
    z : dict of str to array
        What it returned.
    dout : array of shape (out,)
        The gradient by z["out"].

    Returns
    -------
    grads : dict of str to array
        Under "z1" to "z7", "x" and the names of `params` the gradient by each of them.
    """
    raise NotImplementedError


# The network moved along a sequence -------------------------------------------------------------


class ScannedMLP:
    """O(t) = MLP(X[t·stride : t·stride + window]), with the same weights for every t.

    Parameters
    ----------
    window : int
        Steps of time that the network sees at once.
    features : int
        Numbers in each step of time.
    hidden1, hidden2, out_features : int
    stride : int
        From one window to the next.
    rng : int or numpy.random.Generator, optional
        Draws the weights; the biases start at zero.

    Attributes
    ----------
    params : dict
        "W1" (hidden1, window · features), "b1", "W2", "b2", "W3", "b3" as in `mlp_forward`. Read
        them afresh in every call.
    grads : dict
        After `backward` the gradients, under the same names and in the same shapes.
    """

    def __init__(self, window, features, hidden1, hidden2, out_features, stride=1, rng=None):
        # This much is given.
        rng = np.random.default_rng(rng)
        sizes = [window * features, hidden1, hidden2, out_features]
        self.params = {}
        for i in range(3):
            limit = np.sqrt(6 / (sizes[i] + sizes[i + 1]))
            self.params[f"W{i + 1}"] = rng.uniform(-limit, limit, (sizes[i + 1], sizes[i]))
            self.params[f"b{i + 1}"] = np.zeros(sizes[i + 1])
        self.grads = {}
        self.window, self.stride = window, stride

    def forward(self, X):
        """Everything that the network says along a sequence.

        Parameters
        ----------
        X : array of shape (time, features)

        Returns
        -------
        O : array of shape (positions, out_features)
            positions = ⌊(time - window) / stride⌋ + 1. Time behind the last window is not seen.
        """
        raise NotImplementedError

    def backward(self, dO):
        """dL/dX; leaves the gradients of the shared weights in `self.grads`.

        Parameters
        ----------
        dO : array of O's shape

        Returns
        -------
        dX : array of X's shape
        """
        raise NotImplementedError


# The same by correlations -----------------------------------------------------------------------


def correlate(X, K, b, stride=1):
    """y_to = b_o + Σ_j Σ_c X_{t·stride+j, c} K_ocj, at all t where the kernel lies within X.

    Parameters
    ----------
    X : array of shape (time, channels)
    K : array of shape (out, channels, k)
    b : array of shape (out,)
    stride : int

    Returns
    -------
    y : array of shape (positions, out)
    """
    raise NotImplementedError


def kernels_of(params, window):
    """The kernels with which three correlations do what the scanned network does.

    Parameters
    ----------
    params : dict
        Of the network, with W1 of shape (h1, window · features).
    window : int

    Returns
    -------
    kernels : dict of str to array
        "K1" (h1, features, window), "K2" (h2, h1, 1), "K3" (out, h2, 1).
    """
    raise NotImplementedError


def scan_by_correlation(X, params, window, stride=1):
    """What `ScannedMLP.forward` returns, by `kernels_of` and three calls of `correlate`."""
    raise NotImplementedError
