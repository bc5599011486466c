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
        # BEGIN SOLUTION
        self.x = x
        return x @ self.params["W"].T + self.params["b"]
        # END SOLUTION

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
        # BEGIN SOLUTION
        # (out, batch) @ (batch, in): the product itself sums over the samples
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]
        # END SOLUTION


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
        # BEGIN SOLUTION
        # tanh never overflows, and σ(x) = (1 + tanh(x/2)) / 2
        self.y = (1 + np.tanh(x / 2)) / 2
        return self.y
        # END SOLUTION

    def backward(self, dy):
        """dL/dx from dL/dy; the derivative is in README.md, 3.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        # BEGIN SOLUTION
        return dy * self.y * (1 - self.y)
        # END SOLUTION


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
        # BEGIN SOLUTION
        self.y = np.tanh(x)
        return self.y
        # END SOLUTION

    def backward(self, dy):
        """dL/dx from dL/dy; the derivative is in README.md, 3.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        # BEGIN SOLUTION
        return dy * (1 - self.y**2)
        # END SOLUTION


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
        # BEGIN SOLUTION
        self.positive = x > 0
        return np.maximum(x, 0)
        # END SOLUTION

    def backward(self, dy):
        """dL/dx from dL/dy; the derivative at x = 0 is 0 by convention.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
        """
        # BEGIN SOLUTION
        return dy * self.positive
        # END SOLUTION


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
        # BEGIN SOLUTION
        self.difference = prediction - target
        return 0.5 * np.sum(self.difference**2) / len(prediction)
        # END SOLUTION

    def backward(self):
        """The gradient of the loss by the prediction of the last `forward`.

        Returns
        -------
        dprediction : array of shape (batch, features)
        """
        # BEGIN SOLUTION
        return self.difference / len(self.difference)
        # END SOLUTION


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
        # BEGIN SOLUTION
        shifted = logits - logits.max(axis=1, keepdims=True)  # no exponent above 0
        log_sums = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.log_probabilities = shifted - log_sums
        self.rows, self.labels = np.arange(len(labels)), labels
        return -np.mean(self.log_probabilities[self.rows, self.labels])
        # END SOLUTION

    def backward(self):
        """The gradient of the loss by the logits of the last `forward`.

        Returns
        -------
        dlogits : array of shape (batch, classes)
        """
        # BEGIN SOLUTION
        dlogits = np.exp(self.log_probabilities)
        dlogits[self.rows, self.labels] -= 1
        return dlogits / len(dlogits)
        # END SOLUTION


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
        # BEGIN SOLUTION
        rng = np.random.default_rng(rng)
        self.layers = []
        for i in range(len(sizes) - 1):
            if i > 0:
                self.layers.append(ReLU())
            self.layers.append(Linear(sizes[i], sizes[i + 1], rng))
        # END SOLUTION

    def forward(self, x):
        """From the input to the output.

        Parameters
        ----------
        x : array of shape (batch, sizes[0])

        Returns
        -------
        y : array of shape (batch, sizes[-1])
        """
        # BEGIN SOLUTION
        for layer in self.layers:
            x = layer.forward(x)
        return x
        # END SOLUTION

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
        # BEGIN SOLUTION
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy
        # END SOLUTION


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
        # BEGIN SOLUTION
        self.layers = layers
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.velocities = [
            {name: np.zeros_like(array) for name, array in layer.params.items()} for layer in layers
        ]
        # END SOLUTION

    def step(self):
        """Move each parameter once. Leaves all `grads` as they are."""
        # BEGIN SOLUTION
        for layer, velocity in zip(self.layers, self.velocities, strict=True):
            for name, gradient in layer.grads.items():
                velocity[name] = self.momentum * velocity[name] + gradient
                layer.params[name] -= self.learning_rate * velocity[name]
        # END SOLUTION
