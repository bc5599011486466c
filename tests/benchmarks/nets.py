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
SAMPLES = 60_000  # as many as MNIST has; a minibatch is gathered from among them


@dataclass(frozen=True)
class Net:
    """Its name, the shape of one sample, and its layers.

    Layers are ("linear", inputs, outputs), ("conv", inputs, outputs, kernel size, padding),
    ("pool",) of 2 x 2, ("relu",) and ("flatten",).
    """

    name: str
    shape: tuple
    layers: tuple

    @property
    def images(self):
        return len(self.shape) > 1


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
)


def describe(net):
    """The layers in a line, such as 784-256-128-10."""
    if not net.images:
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
    return ", ".join(words)


def data(case):
    """Inputs (samples, *shape) in [0, 1) and labels, of which any ten in a row are all classes."""
    x = np.random.default_rng(0).random((case.samples, *case.net.shape), np.float32)
    return x, np.arange(case.samples) % CLASSES


def weights(net):
    """[(W, b)] of the layers that have them, in the order and shapes (outputs, inputs, ...)."""
    rng = np.random.default_rng(1)
    drawn = []
    for kind, *sizes in net.layers:
        if kind in ("linear", "conv"):
            inputs, outputs, *kernel = sizes
            shape = (outputs, inputs, *kernel[:1] * 2)
            W = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype(np.float32)
            drawn.append((W, np.zeros(outputs, np.float32)))
    return drawn


def orders(samples, epochs):
    """The order of the samples in each epoch, as `nnscratch.Trainer.fit` with rng=0 draws it."""
    rng = np.random.default_rng(0)
    for _ in range(epochs):
        yield rng.permutation(samples)
