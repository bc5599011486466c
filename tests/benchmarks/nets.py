"""What is trained: the nets, each written down once, and the cases that are measured.

A net is a list of tuples that every contestant reads in its own way. All begin with the same
weights, and train by the same rule on the same samples in the same order.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

LEARNING_RATE = {"sgd": 0.01, "adam": 0.001}
MOMENTUM = 0.9
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
CLASSES = 10
GATES = {"lstm": 4, "gru": 3}
SAMPLES = 60_000  # as many as MNIST has; a minibatch is gathered from among them


@dataclass(frozen=True)
class Net:
    """Its name, the shape of one sample, and its layers.

    Layers are ("linear", inputs, outputs), ("conv", inputs, outputs, kernel size, padding),
    ("pool",) of 2 x 2, ("relu",) and ("flatten",); ("lstm" or "gru", inputs, outputs) along a
    sequence, and ("last",), its last step.
    """

    name: str
    shape: tuple
    layers: tuple

    @property
    def kind(self):
        return {1: "vectors", 2: "sequences", 3: "images"}[len(self.shape)]


@dataclass(frozen=True)
class Case:
    """A net, how it is trained, and the largest ratio to some contestants that is hoped for."""

    net: Net
    batch_size: int
    rule: str = "sgd"
    torch: float | None = None
    jax: float | None = None
    sklearn: float | None = None
    samples: int = SAMPLES

    @property
    def name(self):
        return f"{self.net.name}-{self.batch_size}-{self.rule}"


def mlp(name, *sizes):
    layers = []
    for inputs, outputs in pairwise(sizes):
        layers += [("linear", inputs, outputs), ("relu",)]
    return Net(name, (sizes[0],), tuple(layers[:-1]))


MLP = mlp("mlp", 784, 256, 128, CLASSES)
WIDE = mlp("wide", 784, 1024, 1024, CLASSES)
LENET = Net(
    "lenet",
    (1, 28, 28),
    (
        ("conv", 1, 8, 5, 0),
        ("relu",),
        ("pool",),
        ("conv", 8, 16, 5, 0),
        ("relu",),
        ("pool",),
        ("flatten",),
        ("linear", 256, CLASSES),
    ),
)
CNN = Net(
    "cnn",
    (1, 28, 28),
    (
        ("conv", 1, 32, 3, 1),
        ("relu",),
        ("pool",),
        ("conv", 32, 64, 3, 1),
        ("relu",),
        ("pool",),
        ("flatten",),
        ("linear", 3136, 128),
        ("relu",),
        ("linear", 128, CLASSES),
    ),
)

ONE_POOL = Net(
    "onepool",
    (1, 28, 28),
    (
        ("conv", 1, 32, 3, 1),
        ("relu",),
        ("conv", 32, 64, 3, 1),
        ("relu",),
        ("pool",),
        ("flatten",),
        ("linear", 12544, 128),
        ("relu",),
        ("linear", 128, CLASSES),
    ),
)


def reader(kind):
    """A recurrent net that reads an image row by row."""
    layers = ((kind, 28, 128), ("last",), ("linear", 128, CLASSES))
    return Net(kind, (28, 28), layers)


LSTM, GRU = reader("lstm"), reader("gru")

CASES = (
    Case(MLP, 32, torch=0.75, jax=0.95, sklearn=0.65),
    Case(MLP, 128, torch=0.75, jax=0.95, sklearn=0.65),
    Case(MLP, 512, torch=0.75, jax=0.95, sklearn=0.65),
    Case(MLP, 128, "adam", torch=0.75, jax=1.05, sklearn=0.65),
    Case(WIDE, 128, torch=0.8, jax=1.05, sklearn=0.65),
    Case(WIDE, 128, "adam", torch=0.8, jax=1.05, sklearn=0.65),
    Case(LENET, 64, torch=0.52),
    Case(LENET, 128, torch=0.52),
    Case(CNN, 64, torch=0.75),
    Case(ONE_POOL, 64, torch=0.75),
    Case(LSTM, 64, "adam", torch=1.0),
    Case(GRU, 64, "adam", torch=1.0),
)


def describe(net):
    """The layers in a line, such as 784-256-128-10."""
    if net.kind == "vectors":
        linear = [sizes for kind, *sizes in net.layers if kind == "linear"]
        return "-".join(str(n) for n in (linear[0][0], *(outputs for _, outputs in linear)))
    words = []
    for kind, *sizes in net.layers:
        if kind == "conv":
            _, outputs, k, padding = sizes
            words.append(f"conv {outputs}@{k}x{k}" + (" same" if padding else ""))
        elif kind == "linear":
            words.append(f"linear {sizes[1]}")
        elif kind == "pool":
            words.append("pool")
        elif kind in GATES:
            words.append(f"{kind.upper()} {sizes[0]} -> {sizes[1]}, {net.shape[0]} steps")
    return ", ".join(words)


def data(case):
    """Inputs (samples, *shape) in [0, 1) and labels, of which any ten in a row are all classes."""
    x = np.random.default_rng(0).random((case.samples, *case.net.shape), np.float32)
    return x, np.arange(case.samples) % CLASSES


def weights(net):
    """The arrays of each layer that has some, in the order and shapes (outputs, inputs, ...).

    (W, b), or of a recurrent layer (W_x, W_h, b_x, b_h), with a block of rows for each gate.
    """
    rng = np.random.default_rng(1)

    def drawn(*shape):
        return rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)

    of_layers = []
    for kind, *sizes in net.layers:
        if kind in ("linear", "conv"):
            inputs, outputs, *kernel = sizes
            W = drawn(outputs, inputs, *kernel[:1] * 2)
            of_layers.append((W, np.zeros(outputs, np.float32)))
        elif kind in GATES:
            inputs, outputs = sizes
            rows = GATES[kind] * outputs
            biases = drawn(2, rows)
            of_layers.append((drawn(rows, inputs), drawn(rows, outputs), *biases))
    return of_layers


def orders(samples, epochs):
    """The order of the samples in each epoch, as `nnscratch.Trainer.fit` with rng=0 draws it."""
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        yield rng.permutation(samples)
