"""From the bytes of a file to a trained network: everything around the layers.

Samples are rows: x has the shape (samples, features), labels are whole numbers from 0. Write NumPy
and Python's own modules only, and never write into an array that you were given.
Replace each `raise NotImplementedError`; README.md says what is meant and why.
"""

import gzip

import numpy as np

DTYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(content):
    """The array in an IDX file.

    Parameters
    ----------
    content : bytes
        Of the file, which may be gzipped: then it begins with 1f 8b.

    Returns
    -------
    array : int64 array where the file holds whole numbers, else float64
        In the shape that the header tells.
    """
    # BEGIN SOLUTION
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    dtype, axes = np.dtype(DTYPES[content[2]]), content[3]
    shape = [int.from_bytes(content[4 * i + 4 : 4 * i + 8], "big") for i in range(axes)]
    values = np.frombuffer(content, dtype, offset=4 + 4 * axes).reshape(shape)
    return values.astype(np.float64 if dtype.kind == "f" else np.int64)
    # END SOLUTION


def standardize(train, test):
    """Give every feature mean 0 and deviation 1 over the training samples.

    Parameters
    ----------
    train, test : arrays of shape (samples, features)

    Returns
    -------
    train, test : arrays of the same shapes
        Both by the mean and deviation of `train`; a feature that is constant there is divided by
        1.
    """
    # BEGIN SOLUTION
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation = np.where(deviation > 0, deviation, 1.0)
    return (train - mean) / deviation, (test - mean) / deviation
    # END SOLUTION


def split(count, share, rng):
    """Set samples aside for validation, by chance.

    Parameters
    ----------
    count : int
        How many samples there are.
    share : float
        round(share · count) of them are set aside.
    rng : int
        The same number gives the same split, another one another.

    Returns
    -------
    train, validation : int arrays
        Indices, each of 0 to count - 1 in one of the two.
    """
    # BEGIN SOLUTION
    order = np.random.default_rng(rng).permutation(count)
    aside = round(share * count)
    return order[aside:], order[:aside]
    # END SOLUTION


def minibatches(x, y, batch_size, order):
    """Cut the samples into batches.

    Parameters
    ----------
    x, y : arrays of shape (samples, ...)
    batch_size : int
    order : int array
        The indices of the samples, in the order in which they shall come.

    Returns
    -------
    batches : list of (x, y)
        All samples: the last batch is smaller where batch_size does not divide their number.
    """
    # BEGIN SOLUTION
    parts = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return [(x[part], y[part]) for part in parts]
    # END SOLUTION


def train_step(model, loss, optimizer, x, y):
    """Move the parameters once, by the gradient of the loss on one batch.

    Parameters
    ----------
    model : has forward(x) and backward(dy)
    loss : has forward(prediction, target), a number, and backward(), the gradient
    optimizer : has step(), which moves the parameters by the gradients that backward left
    x, y : arrays

    Returns
    -------
    value : float
        The loss before the step.
    """
    # BEGIN SOLUTION
    value = loss.forward(model.forward(x), y)
    model.backward(loss.backward())
    optimizer.step()
    return value
    # END SOLUTION


def evaluate(model, x, labels, batch_size):
    """The share of samples whose largest score is that of their label.

    Parameters
    ----------
    model : has forward(x), which returns scores of shape (samples, classes)
    x : array
    labels : int array
    batch_size : int
        Never more samples are given to the model at a time.

    Returns
    -------
    accuracy : float
    """
    # BEGIN SOLUTION
    right = 0
    for i in range(0, len(x), batch_size):
        scores = model.forward(x[i : i + batch_size])
        right += np.sum(scores.argmax(axis=1) == labels[i : i + batch_size])
    return right / len(x)
    # END SOLUTION


def fit(model, loss, optimizer, x, y, x_valid, y_valid, epochs, batch_size, rng):
    """Train for some epochs: each shows all samples once, in an order of its own.

    Parameters
    ----------
    model, loss, optimizer : as in `train_step`
    x, y, x_valid, y_valid : arrays
    epochs, batch_size : int
    rng : int
        Draws the orders.

    Returns
    -------
    history : dict of str to list of float
        One entry for each epoch. "train_loss": the mean over its samples, of the losses that
        `train_step` returned, each the mean of its batch. "valid_accuracy": after the epoch.

    Notes
    -----
    Calls `minibatches` and `train_step`, and once an epoch `evaluate`, with that batch_size.
    """
    # BEGIN SOLUTION
    rng = np.random.default_rng(rng)
    history = {"train_loss": [], "valid_accuracy": []}
    for _ in range(epochs):
        total = 0.0
        for xs, ys in minibatches(x, y, batch_size, rng.permutation(len(x))):
            total += len(xs) * train_step(model, loss, optimizer, xs, ys)
        history["train_loss"].append(total / len(x))
        history["valid_accuracy"].append(evaluate(model, x_valid, y_valid, batch_size))
    return history
    # END SOLUTION


def stop_early(losses, patience):
    """Where training ends if it waits no longer than `patience` epochs for a better loss.

    Parameters
    ----------
    losses : list of float
        Of the validation, one for each epoch that would be trained.
    patience : int

    Returns
    -------
    last, best : int
        Counted from 0: the epoch after which training ends, and the one with the lowest loss up to
        there, of equal ones the first. It ends after the first epoch that is `patience` epochs
        later than the best so far, else after the last of all.
    """
    # BEGIN SOLUTION
    best = 0
    for epoch, value in enumerate(losses):
        if value < losses[best]:
            best = epoch
        if epoch - best >= patience:
            break
    return epoch, best
    # END SOLUTION


def moving_average(values, window):
    """The mean of each `window` values that follow each other.

    Parameters
    ----------
    values : array of shape (n,)
    window : int
        From 1 to n.

    Returns
    -------
    means : array of shape (n - window + 1,)
    """
    # BEGIN SOLUTION
    return np.convolve(values, np.ones(window) / window, mode="valid")
    # END SOLUTION


def draw_losses(axes, losses, window):
    """Draw the losses of all steps, and their moving average.

    Parameters
    ----------
    axes : has plot(x, y, label=...), set_xlabel, set_ylabel and legend
        As those of matplotlib, whose other methods are not there.
    losses : array of shape (n,)
        Of the steps 1 to n.
    window : int

    Notes
    -----
    Two curves, labelled "loss" and "average", and a legend. Each average stands over the last step
    that it covers. The axes say "step" and "loss".
    """
    # BEGIN SOLUTION
    steps = np.arange(1, len(losses) + 1)
    axes.plot(steps, losses, label="loss")
    axes.plot(steps[window - 1 :], moving_average(losses, window), label="average")
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    # END SOLUTION


def classify(x, labels, unknown, rng):
    """Learn from labelled images, and say what others show.

    Parameters
    ----------
    x : array of shape (samples, pixels)
    labels : int array of shape (samples,)
        From 0 to 9.
    unknown : array of shape (others, pixels)
        Images whose labels you do not get.
    rng : int

    Returns
    -------
    labels : int array of shape (others,)
    """
    # BEGIN SOLUTION
    x, unknown = standardize(x, unknown)
    train, valid = split(len(x), 0.1, rng)
    model = Network([x.shape[1], 64, 10], rng)
    optimizer = SGD(model.layers, learning_rate=0.01, momentum=0.9)
    data = x[train], labels[train], x[valid], labels[valid]
    fit(model, SoftmaxCrossEntropy(), optimizer, *data, epochs=10, batch_size=32, rng=rng)
    return model.forward(unknown).argmax(axis=1)
    # END SOLUTION


# What you know from earlier assignments; nothing to do here.


class Linear:
    def __init__(self, in_features, out_features, rng=None):
        W = np.random.default_rng(rng).normal(size=(out_features, in_features))
        self.params = {"W": W * np.sqrt(2 / in_features), "b": np.zeros(out_features)}

    def forward(self, x):
        self.x = x
        return x @ self.params["W"].T + self.params["b"]

    def backward(self, dy):
        self.grads = {"W": dy.T @ self.x, "b": dy.sum(axis=0)}
        return dy @ self.params["W"]


class ReLU:
    def __init__(self):
        self.params = self.grads = {}

    def forward(self, x):
        self.positive = x > 0
        return x * self.positive

    def backward(self, dy):
        return dy * self.positive


class Network:
    """Linear, ReLU, Linear, ..., Linear."""

    def __init__(self, sizes, rng=None):
        rng, self.layers = np.random.default_rng(rng), []
        for i in range(len(sizes) - 1):
            self.layers += [ReLU()] * (i > 0) + [Linear(sizes[i], sizes[i + 1], rng)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dy):
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy


class SoftmaxCrossEntropy:
    def forward(self, logits, labels):
        shifted = logits - logits.max(axis=1, keepdims=True)
        self.log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        self.one_hot = np.eye(logits.shape[1])[labels]
        return -np.sum(self.one_hot * self.log_p) / len(labels)

    def backward(self):
        return (np.exp(self.log_p) - self.one_hot) / len(self.log_p)


class SGD:
    def __init__(self, layers, learning_rate=0.1, momentum=0.0):
        self.layers, self.learning_rate, self.momentum = layers, learning_rate, momentum
        self.v = [dict.fromkeys(layer.params, 0.0) for layer in layers]

    def step(self):
        for layer, v in zip(self.layers, self.v, strict=True):
            for name, gradient in layer.grads.items():
                v[name] = self.momentum * v[name] + gradient
                layer.params[name] = layer.params[name] - self.learning_rate * v[name]
