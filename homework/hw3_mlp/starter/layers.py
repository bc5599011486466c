"""A multilayer perceptron: layers, losses, the network and its optimizer.

Batches are rows: x has the shape (batch, features), and the first axis counts the samples.
Write NumPy only, and never write into an array that you were given (no x -= ..., no dy *= ...).
Replace each `raise NotImplementedError`; the formulas and their reasons are in README.md.
"""

import numpy as np


class Layer:
    """What all layers have; nothing to do here.

    Attributes
    ----------
    params : dict of str to array
        Parameters by name. Read them afresh in every call: the optimizer changes them.
    grads : dict of str to array
        After `backward` the gradient of the loss by each parameter: same names, same shapes.
        Empty for a layer without parameters.
    """

    def __init__(self):
        self.params = {}
        self.grads = {}


class Linear(Layer):
    """y = x Wᵀ + b.

    Parameters
    ----------
    in_features, out_features : int
    rng : int or numpy.random.Generator, optional
        Draws W; b starts at zero.

    Attributes
    ----------
    params["W"] : array of shape (out_features, in_features)
    params["b"] : array of shape (out_features,)
    """

    def __init__(self, in_features, out_features, rng=None):
        # This much is given; so that signals keep their size, W is drawn the smaller, the
        # larger the layer.
        super().__init__()
        rng = np.random.default_rng(rng)
        limit = np.sqrt(6 / (in_features + out_features))
        self.params["W"] = rng.uniform(-limit, limit, (out_features, in_features))
        self.params["b"] = np.zeros(out_features)

    def forward(self, x):
        """One row for each sample: y_n = W x_n + b.

        Parameters
        ----------
        x : array of shape (batch, in_features)

        Returns
        -------
        y : array of shape (batch, out_features)

        Notes
        -----
        Keep on `self` what `backward` will need.
        """
        raise NotImplementedError

    def backward(self, dy):
        """The gradients of the loss, from its gradient by y.

        Parameters
        ----------
        dy : array of shape (batch, out_features)
            dL/dy, for the y of the last `forward`.

        Returns
        -------
        dx : array of shape (batch, in_features)
            dL/dx. For one sample dx = Wᵀ dy.

        Notes
        -----
        Leaves new gradients in `self.grads`: "W" of W's shape and "b" of b's shape, summed over
        the samples. For one sample dW = dy xᵀ and db = dy. Leaves `self.params` as they are.
        """
        raise NotImplementedError


class Sigmoid(Layer):
    """y = 1 / (1 + e⁻ˣ), for each element."""

    def forward(self, x):
        """The sigmoid of an array of any shape; finite for every finite x.

        Parameters
        ----------
        x : array

        Returns
        -------
        y : array of x's shape
        """
        raise NotImplementedError

    def backward(self, dy):
        """dL/dx from dL/dy; the derivative is in README.md, 3.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        raise NotImplementedError


class Tanh(Layer):
    """y = (eˣ - e⁻ˣ) / (eˣ + e⁻ˣ), for each element."""

    def forward(self, x):
        """The hyperbolic tangent of an array of any shape; finite for every finite x.

        Parameters
        ----------
        x : array

        Returns
        -------
        y : array of x's shape
        """
        raise NotImplementedError

    def backward(self, dy):
        """dL/dx from dL/dy; the derivative is in README.md, 3.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        raise NotImplementedError


class ReLU(Layer):
    """y = x where x > 0, else 0, for each element."""

    def forward(self, x):
        """The positive part of an array of any shape.

        Parameters
        ----------
        x : array

        Returns
        -------
        y : array of x's shape
        """
        raise NotImplementedError

    def backward(self, dy):
        """dL/dx from dL/dy; the derivative at x = 0 is 0 by convention.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        raise NotImplementedError


class HalfSquaredError:
    """L = 1/N · Σ_n ½ ‖x_n - t_n‖², for N samples x_n and their targets t_n."""

    def forward(self, prediction, target):
        """The loss: a sum over the features, a mean over the samples.

        Parameters
        ----------
        prediction, target : arrays of shape (batch, features)

        Returns
        -------
        loss : float
        """
        raise NotImplementedError

    def backward(self):
        """The gradient of the loss by the prediction of the last `forward`.

        Returns
        -------
        dprediction : array of shape (batch, features)
        """
        raise NotImplementedError


class SoftmaxCrossEntropy:
    """L = 1/N · Σ_n -log softmax(x_n)[c_n], for N rows of logits x_n and their labels c_n."""

    def forward(self, logits, labels):
        """The loss, finite for all finite logits: -x_c + a + log Σ_k e^(x_k - a), a = max x.

        Parameters
        ----------
        logits : array of shape (batch, classes)
        labels : int array of shape (batch,)
            The right class of each sample, from 0 to classes - 1.

        Returns
        -------
        loss : float
            The mean over the samples.
        """
        raise NotImplementedError

    def backward(self):
        """The gradient of the loss by the logits of the last `forward`.

        Returns
        -------
        dlogits : array of shape (batch, classes)
        """
        raise NotImplementedError


class MLP:
    """Linear, ReLU, Linear, ReLU, ..., Linear: no activation behind the last.

    Parameters
    ----------
    sizes : list of int
        Features from the input to the output: [64, 32, 10] has two Linear layers.
    rng : int or numpy.random.Generator, optional
        Draws all weights.

    Attributes
    ----------
    layers : list of Layer
        In the order of the forward pass.
    """

    def __init__(self, sizes, rng=None):
        """Make `self.layers` of `Linear` and `ReLU`."""
        raise NotImplementedError

    def forward(self, x):
        """From the input to the output.

        Parameters
        ----------
        x : array of shape (batch, sizes[0])

        Returns
        -------
        y : array of shape (batch, sizes[-1])
        """
        raise NotImplementedError

    def backward(self, dy):
        """From the gradient by the output to that by the input.

        Parameters
        ----------
        dy : array of shape (batch, sizes[-1])

        Returns
        -------
        dx : array of shape (batch, sizes[0])

        Notes
        -----
        Afterwards every layer has its gradients in `layer.grads`.
        """
        raise NotImplementedError


class SGD:
    """v = momentum · v + g, then w = w - learning_rate · v, for every parameter w.

    Parameters
    ----------
    layers : list of Layer
        Whose `params` are trained; g is found in their `grads`.
    learning_rate : float
    momentum : float
        From 0 (plain gradient descent) to below 1.
    """

    def __init__(self, layers, learning_rate=0.1, momentum=0.0):
        """Every parameter has a velocity v of its own, which starts at zero."""
        raise NotImplementedError

    def step(self):
        """Move each parameter once. Leaves all `grads` as they are."""
        raise NotImplementedError
