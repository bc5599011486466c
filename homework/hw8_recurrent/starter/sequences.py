"""Recurrent networks and attention: steps, sequences, and the way back through time.

Sequences are batches first: x has the shape (batch, time, features). Write NumPy only, and never
write into an array that you were given (no x -= ..., no dy *= ...).
Replace each `raise NotImplementedError`; the formulas and their reasons are in README.md.
"""

import numpy as np


class Layer:
    """What all layers have; nothing to do here.

    Attributes
    ----------
    params, grads : dict of str to array
        Parameters by name; after `backward` the gradients under the same names, in the same
        shapes. Read the parameters afresh in every call: the optimizer changes them.
    """

    def __init__(self):
        self.params = {}
        self.grads = {}

    def draw(self, in_features, hidden_features, gates, rng):
        """Parameters of a recurrent layer: `gates` blocks of hidden_features rows each."""
        rng, rows = np.random.default_rng(rng), gates * hidden_features
        limit = 1 / np.sqrt(hidden_features)
        self.params = {
            "W_x": rng.uniform(-limit, limit, (rows, in_features)),
            "W_h": rng.uniform(-limit, limit, (rows, hidden_features)),
            "b_x": np.zeros(rows),
            "b_h": np.zeros(rows),
        }


def rnn_step(x, h, params):
    """One step of a recurrent network, h' = tanh(W_x x + b_x + W_h h + b_h).

    Parameters
    ----------
    x : array of shape (batch, in_features)
    h : array of shape (batch, hidden_features)
    params : dict
        "W_x" (hidden, in), "W_h" (hidden, hidden), "b_x" and "b_h" (hidden,).

    Returns
    -------
    h_new : array of h's shape
    """
    raise NotImplementedError


def rnn_step_backward(dh_new, x, h, h_new, params):
    """The gradients of one step.

    Parameters
    ----------
    dh_new : array of h's shape
        dL/dh_new, all of it.
    x, h, h_new, params : what `rnn_step` received and returned

    Returns
    -------
    dx, dh : arrays of the shapes of x and h
    grads : dict
        Of this step alone, with the names and shapes of params, summed over the batch.
    """
    raise NotImplementedError


class RNN(Layer):
    """`rnn_step` along a sequence, from a state of zeros.

    Parameters
    ----------
    in_features, hidden_features : int
    rng : int or numpy.random.Generator, optional
    """

    def __init__(self, in_features, hidden_features, rng=None):
        super().__init__()
        self.draw(in_features, hidden_features, 1, rng)

    def forward(self, x):
        """The states after all steps.

        Parameters
        ----------
        x : array of shape (batch, time, in_features)

        Returns
        -------
        y : array of shape (batch, time, hidden_features)
        """
        raise NotImplementedError

    def backward(self, dy):
        """Backpropagation through time.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of x's shape

        Notes
        -----
        Leaves new gradients in `self.grads`, summed over batch and time. Calls
        `rnn_step_backward` for each step.
        """
        raise NotImplementedError


def lstm_step(x, h, c, params):
    """One step of a long short-term memory.

    Parameters
    ----------
    x : array of shape (batch, in_features)
    h, c : arrays of shape (batch, hidden_features)
    params : dict
        As in `rnn_step`, with four blocks of hidden_features rows: i, f, g, o.

    Returns
    -------
    h_new, c_new : arrays of h's shape
    gates : tuple of four arrays of h's shape
        i, f, g and o.
    """
    raise NotImplementedError


def lstm_step_backward(dh_new, dc_new, x, h, c, c_new, gates, params):
    """The gradients of one step.

    Parameters
    ----------
    dh_new, dc_new : arrays of h's shape
        What came to h_new from above and from the next step, and to c_new from the next step.
    x, h, c, c_new, gates, params : what `lstm_step` received and returned

    Returns
    -------
    dx, dh, dc : arrays of the shapes of x, h and c
    grads : dict
        Of this step alone, with the names and shapes of params, summed over the batch.
    """
    raise NotImplementedError


class LSTM(Layer):
    """`lstm_step` along a sequence, from h and c of zeros; parameters as those of RNN."""

    def __init__(self, in_features, hidden_features, rng=None):
        super().__init__()
        self.draw(in_features, hidden_features, 4, rng)
        self.params["b_x"][hidden_features : 2 * hidden_features] = 1  # at first, keep

    def forward(self, x):
        """All h: x (batch, time, in_features) to y (batch, time, hidden_features)."""
        raise NotImplementedError

    def backward(self, dy):
        """dL/dx from dL/dy; leaves `self.grads`, summed over batch and time.

        Calls `lstm_step_backward` for each step.
        """
        raise NotImplementedError


class Attention(Layer):
    """y = softmax(q kᵀ / √d) v, for each sample of a batch.

    Parameters
    ----------
    causal : bool
        Whether step t sees only the steps up to t.
    """

    def __init__(self, causal=False):
        super().__init__()
        self.causal = causal

    def forward(self, q, k, v):
        """A mean of the values for each query.

        Parameters
        ----------
        q : array of shape (batch, time, d)
        k : array of shape (batch, steps, d)
        v : array of shape (batch, steps, values)

        Returns
        -------
        y : array of shape (batch, time, values)
            Finite for all finite q and k.
        """
        raise NotImplementedError

    def backward(self, dy):
        """The gradients by all three inputs.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dq, dk, dv : arrays of the shapes of q, k and v
        """
        raise NotImplementedError


class LastStep(Layer):
    """y(n) = x(n, T): what is known at the end of a sequence."""

    def forward(self, x):
        """x (batch, time, features) to y (batch, features)."""
        raise NotImplementedError

    def backward(self, dy):
        """dx of x's shape."""
        raise NotImplementedError


# What you know from earlier assignments; nothing to do here.


class Linear(Layer):
    def __init__(self, in_features, out_features, rng=None):
        super().__init__()
        W = np.random.default_rng(rng).normal(size=(out_features, in_features))
        self.params = {"W": W / np.sqrt(in_features), "b": np.zeros(out_features)}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"].T + self.params["b"]

    def backward(self, dy):
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]


class Reader(Layer):
    """Reads a sequence and returns scores: a recurrent layer, its last step, Linear."""

    def __init__(self, in_features, hidden_features, classes, rng=None, kind=RNN):
        super().__init__()
        rng = np.random.default_rng(rng)
        recurrent = kind(in_features, hidden_features, rng)
        self.layers = [recurrent, LastStep(), Linear(hidden_features, classes, rng)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.one_hot = np.eye(logits.shape[1])[labels]
        return -np.sum(self.one_hot * self.log_p) / len(labels)

    def backward(self):
        return (np.exp(self.log_p) - self.one_hot) / len(self.log_p)


class SGD:
    def __init__(self, layers, learning_rate=0.1):
        self.layers, self.learning_rate = layers, learning_rate

    def step(self):
        for layer in self.layers:
            for name, gradient in layer.grads.items():
                layer.params[name] = layer.params[name] - self.learning_rate * gradient
