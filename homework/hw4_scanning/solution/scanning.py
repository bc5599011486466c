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
    # BEGIN SOLUTION
    return np.outer(dz, x), W.T @ dz
    # END SOLUTION


def sum_backward(dz):
    """Rule 2, z = x + y: returns dx, dy, both of dz's shape."""
    # BEGIN SOLUTION
    return dz, dz
    # END SOLUTION


def chain_backward(J, dz):
    """Rule 3, z = g(x) with the Jacobian J_ij = ∂z_i/∂x_j: returns dx.

    Parameters
    ----------
    J : array of shape (n, m)
    dz : array of shape (n,)
    """
    # BEGIN SOLUTION
    return J.T @ dz
    # END SOLUTION


def branches_backward(Js, dzs):
    """Rule 4, z_1 = g_1(x), z_2 = g_2(x), ...: returns dx.

    Parameters
    ----------
    Js : list of arrays, the i-th of shape (n_i, m)
        The Jacobian of each g_i.
    dzs : list of arrays, the i-th of shape (n_i,)
    """
    # BEGIN SOLUTION
    return sum(J.T @ dzs[i] for i, J in enumerate(Js))
    # END SOLUTION


def hadamard_backward(x, y, dz):
    """Rule 5, z = x ∘ y, element by element: returns dx, dy."""
    # BEGIN SOLUTION
    return dz * y, dz * x
    # END SOLUTION


def map_backward(slopes, dz):
    """Rule 6, z_i = g(x_i) for each element, with slopes_i = g'(x_i): returns dx."""
    # BEGIN SOLUTION
    return dz * slopes
    # END SOLUTION


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
    # BEGIN SOLUTION
    z = {"z1": params["W1"] @ x}
    z["z2"] = z["z1"] + params["b1"]
    z["z3"] = np.maximum(z["z2"], 0)
    z["z4"] = params["W2"] @ z["z3"]
    z["z5"] = z["z4"] + params["b2"]
    z["z6"] = np.maximum(z["z5"], 0)
    z["z7"] = params["W3"] @ z["z6"]
    z["out"] = z["z7"] + params["b3"]
    return z
    # END SOLUTION


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
    # BEGIN SOLUTION
    g = {"b3": dout, "z7": dout}
    g["W3"], g["z6"] = product_backward(params["W3"], z["z6"], g["z7"])
    g["z5"] = map_backward(z["z5"] > 0, g["z6"])
    g["z4"], g["b2"] = sum_backward(g["z5"])
    g["W2"], g["z3"] = product_backward(params["W2"], z["z3"], g["z4"])
    g["z2"] = map_backward(z["z2"] > 0, g["z3"])
    g["z1"], g["b1"] = sum_backward(g["z2"])
    g["W1"], g["x"] = product_backward(params["W1"], x, g["z1"])
    return g
    # END SOLUTION


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
        # BEGIN SOLUTION
        self.shape = X.shape
        starts = range(0, len(X) - self.window + 1, self.stride)
        self.slices = [slice(start, start + self.window) for start in starts]
        self.inputs = [X[here].flatten() for here in self.slices]
        self.steps = [mlp_forward(x, self.params) for x in self.inputs]
        return np.array([z["out"] for z in self.steps])
        # END SOLUTION

    def backward(self, dO):
        """dL/dX; leaves the gradients of the shared weights in `self.grads`.

        Parameters
        ----------
        dO : array of O's shape

        Returns
        -------
        dX : array of X's shape
        """
        # BEGIN SOLUTION
        dX = np.zeros(self.shape)
        self.grads = {name: np.zeros(array.shape) for name, array in self.params.items()}
        for t, here in enumerate(self.slices):
            grads = mlp_backward(self.inputs[t], self.params, self.steps[t], dO[t])
            for name in self.grads:
                self.grads[name] += grads[name]
            dX[here] += grads["x"].reshape(self.window, -1)
        return dX
        # END SOLUTION


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
    # BEGIN SOLUTION
    k = K.shape[2]
    starts = range(0, len(X) - k + 1, stride)
    return np.array([np.tensordot(K, X[start : start + k].T) + b for start in starts])
    # END SOLUTION


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
    # BEGIN SOLUTION
    K1 = params["W1"].reshape(len(params["W1"]), window, -1).swapaxes(1, 2)
    return {"K1": K1, "K2": params["W2"][:, :, None], "K3": params["W3"][:, :, None]}
    # END SOLUTION


def scan_by_correlation(X, params, window, stride=1):
    """What `ScannedMLP.forward` returns, by `kernels_of` and three calls of `correlate`."""
    # BEGIN SOLUTION
    K = kernels_of(params, window)
    y = np.maximum(correlate(X, K["K1"], params["b1"], stride), 0)
    y = np.maximum(correlate(y, K["K2"], params["b2"]), 0)
    return correlate(y, K["K3"], params["b3"])
    # END SOLUTION
