"""Batch normalization, layer normalization, and a network that learns by them.

Batches are rows: x has the shape (batch, features), and the first axis counts the samples.
Write NumPy only, and never write into an array that you were given (no x -= ..., no dy *= ...).
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
    buffers : dict of str to array
        What is remembered from batch to batch and not trained.
    training : bool
        Whether `forward` is in training; else it is in evaluation.
    """

    def __init__(self):
        self.params = {}
        self.grads = {}
        self.buffers = {}
        self.training = True

    def train(self):
        self.training = True

    def eval(self):
        self.training = False


def moments(x):
    """The mean and the biased variance of each feature, over the samples.

    Parameters
    ----------
    x : array of shape (batch, features)

    Returns
    -------
    mean, var : arrays of shape (features,)
        var is the mean of (x - mean)², also where the mean is large: 10⁶, say.
    """
    # BEGIN SOLUTION
    mean = x.mean(axis=0)
    return mean, ((x - mean) ** 2).mean(axis=0)
    # END SOLUTION


class BatchNorm(Layer):
    """y = gamma · (x - mean) / √(var + epsilon) + beta, feature by feature.

    Parameters
    ----------
    features : int
    momentum : float
        The weight of the newest batch in the running statistics.
    epsilon : float
        Added to the variance.

    Attributes
    ----------
    params["gamma"], params["beta"] : arrays of shape (features,)
    buffers["running_mean"], buffers["running_var"] : arrays of shape (features,)
    """

    def __init__(self, features, momentum=0.1, epsilon=1e-5):
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon
        self.params = {"gamma": np.ones(features), "beta": np.zeros(features)}
        self.buffers = {"running_mean": np.zeros(features), "running_var": np.ones(features)}

    def forward(self, x):
        """Normalize, scale and shift.

        Parameters
        ----------
        x : array of shape (batch, features)
            In training of at least two samples.

        Returns
        -------
        y : array of x's shape

        Notes
        -----
        In training mean and var are those of the batch (call `moments`), and `self.buffers` moves
        towards them, as README.md, 3, says: the running variance to the unbiased one. In
        evaluation mean and var are the running ones, and `self.buffers` stays as it is.
        """
        # BEGIN SOLUTION
        self.by_batch = self.training
        if self.training:
            mean, var = moments(x)
            newest = {"running_mean": mean, "running_var": var * len(x) / (len(x) - 1)}
            for name, old in self.buffers.items():
                self.buffers[name] = (1 - self.momentum) * old + self.momentum * newest[name]
        else:
            mean, var = self.buffers["running_mean"], self.buffers["running_var"]
        self.deviation = np.sqrt(var + self.epsilon)
        self.x_hat = (x - mean) / self.deviation
        return self.params["gamma"] * self.x_hat + self.params["beta"]
        # END SOLUTION

    def backward(self, dy):
        """The gradients of the loss, from its gradient by y.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape
            After a forward in training through the batch's mean and variance too; after one in
            evaluation these are constants.

        Notes
        -----
        Leaves new gradients in `self.grads`: "gamma" and "beta", summed over the samples.
        """
        # BEGIN SOLUTION
        self.grads = {"gamma": (dy * self.x_hat).sum(axis=0), "beta": dy.sum(axis=0)}
        dx_hat = self.params["gamma"] * dy
        if not self.by_batch:
            return dx_hat / self.deviation
        along = (dx_hat * self.x_hat).mean(axis=0)
        return (dx_hat - dx_hat.mean(axis=0) - self.x_hat * along) / self.deviation
        # END SOLUTION


def rows_of_images(images):
    """Every pixel of every image as a row of its channels.

    Parameters
    ----------
    images : array of shape (batch, channels, height, width)

    Returns
    -------
    rows : array of shape (batch · height · width, channels)
        Row (n · height + i) · width + j holds images[n, :, i, j].
    """
    # BEGIN SOLUTION
    return images.transpose(0, 2, 3, 1).reshape(-1, images.shape[1])
    # END SOLUTION


def images_of_rows(rows, shape):
    """The way back: images_of_rows(rows_of_images(images), images.shape) are the images.

    Parameters
    ----------
    rows : array of shape (batch · height · width, channels)
    shape : tuple of int
        (batch, channels, height, width)

    Returns
    -------
    images : array of that shape
    """
    # BEGIN SOLUTION
    batch, channels, height, width = shape
    return rows.reshape(batch, height, width, channels).transpose(0, 3, 1, 2)
    # END SOLUTION


class LayerNorm(Layer):
    """y = gamma ∘ (x - mean) / √(var + epsilon) + beta, with mean and var of each sample.

    Parameters
    ----------
    features : int
    epsilon : float

    Attributes
    ----------
    params["gamma"], params["beta"] : arrays of shape (features,)
    """

    def __init__(self, features, epsilon=1e-5):
        super().__init__()
        self.epsilon = epsilon
        self.params = {"gamma": np.ones(features), "beta": np.zeros(features)}

    def forward(self, x):
        """Normalize each sample over its features, then scale and shift each feature.

        Parameters
        ----------
        x : array of shape (batch, features)

        Returns
        -------
        y : array of x's shape
        """
        # BEGIN SOLUTION
        centred = x - x.mean(axis=1, keepdims=True)
        self.deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + self.epsilon)
        self.x_hat = centred / self.deviation
        return self.params["gamma"] * self.x_hat + self.params["beta"]
        # END SOLUTION

    def backward(self, dy):
        """dL/dx, through each sample's mean and variance too; README.md, 6.

        Parameters
        ----------
        dy : array of y's shape

        Returns
        -------
        dx : array of the same shape

        Notes
        -----
        Leaves new gradients in `self.grads`: "gamma" and "beta", of shape (features,).
        """
        # BEGIN SOLUTION
        self.grads = {"gamma": (dy * self.x_hat).sum(axis=0), "beta": dy.sum(axis=0)}
        dx_hat = self.params["gamma"] * dy
        along = (dx_hat * self.x_hat).mean(axis=1, keepdims=True)
        return (dx_hat - dx_hat.mean(axis=1, keepdims=True) - self.x_hat * along) / self.deviation
        # END SOLUTION


class Network(Layer):
    """Linear, BatchNorm, ReLU, Linear, BatchNorm, ReLU, ..., Linear: none behind the last.

    Parameters
    ----------
    sizes : list of int
        Features from the input to the output: [64, 32, 10] has two Linear and one BatchNorm.
    rng : int or numpy.random.Generator, optional
        Draws all weights.

    Attributes
    ----------
    layers : list of Layer
        In the order of the forward pass.
    """

    def __init__(self, sizes, rng=None):
        """Make `self.layers` of `Linear`, `BatchNorm` (with its defaults) and `ReLU`."""
        # BEGIN SOLUTION
        super().__init__()
        rng = np.random.default_rng(rng)
        self.layers = []
        for i in range(len(sizes) - 1):
            if i > 0:
                self.layers += [BatchNorm(sizes[i]), ReLU()]
            self.layers.append(Linear(sizes[i], sizes[i + 1], rng))
        # END SOLUTION

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def train(self):
        """Let the network and every layer in it be in training."""
        # BEGIN SOLUTION
        super().train()
        for layer in self.layers:
            layer.train()
        # END SOLUTION

    def eval(self):
        """Let the network and every layer in it be in evaluation."""
        # BEGIN SOLUTION
        super().eval()
        for layer in self.layers:
            layer.eval()
        # END SOLUTION


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


class ReLU(Layer):
    def forward(self, x):
        self.positive = x > 0
        return x * self.positive

    def backward(self, dy):
        return dy * self.positive


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
