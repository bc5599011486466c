"""Typical mistakes and the messages they get: python -m tests.mistakes prints the table.

Each entry is what a user would do wrong, and the words that the message must hold.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import numpy as np

import nnscratch as nn
from nnscratch.cli import main

images = np.zeros((32, 28, 28), np.float32)
rows = np.random.default_rng(0).random((32, 784), np.float32)
labels = np.arange(32) % 10


def model(hidden=16):
    return nn.Sequential(nn.Linear(784, hidden, rng=0), nn.ReLU(), nn.Linear(hidden, 10, rng=1))


def fit(y):
    net = model()
    trainer = nn.Trainer(net, nn.SoftmaxCrossEntropy(), nn.SGD(net), progress=False)
    trainer.fit(rows, y, epochs=1)


def load(content):
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        content(Path("model.npz"))
        nn.load(model(), "model.npz")


class Printed(Exception):
    """What the command line printed on standard error."""


def command(*arguments):
    errors = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("a-file").write_text("")
        with contextlib.redirect_stderr(errors), contextlib.suppress(SystemExit):
            main(arguments)
    raise Printed(errors.getvalue().strip())


MISTAKES = [
    (
        "images with channels last",
        lambda: nn.Conv2d(1, 8, 5).forward(images[..., np.newaxis]),
        "np.moveaxis(x, -1, 1)",
    ),
    (
        "images without channels",
        lambda: nn.Conv2d(1, 8, 5).forward(images),
        "x[:, np.newaxis]",
    ),
    (
        "kernel larger than the image",
        lambda: nn.Conv2d(1, 8, 5).forward(images[:, np.newaxis, :4]),
        "a smaller kernel_size or more padding",
    ),
    (
        "wrong number of channels",
        lambda: nn.Conv2d(3, 8, 5).forward(images[:, np.newaxis]),
        "make it Conv2d(1, 8, 5)",
    ),
    (
        "groups that do not divide the channels",
        lambda: nn.Conv2d(6, 8, 3, groups=4),
        "groups to be a divisor of both numbers of channels",
    ),
    (
        "BatchNorm trained on one sample",
        lambda: nn.BatchNorm(784).forward(rows[:1]),
        "pass a larger batch, or call eval()",
    ),
    (
        "wrong shape: images into Linear",
        lambda: nn.Linear(784, 100).forward(images),
        "Linear(784, 100) expected (784,) or (batch, 784), received (32, 28, 28); "
        "put Flatten() before it",
    ),
    (
        "backward before forward",
        lambda: nn.Linear(784, 100).backward(rows),
        "call forward(x) first",
    ),
    (
        "dy of another shape than y",
        lambda: (net := nn.ReLU(), net.forward(rows), net.backward(rows[:, :1])),
        "expected dy of the shape of y (32, 784), received (32, 1)",
    ),
    (
        "label out of range",
        lambda: fit(y=labels + 1),
        "expected labels in 0..9 for 10 classes, received 10",
    ),
    ("float labels", lambda: fit(y=labels / 1), "use labels.astype(np.int64)"),
    (
        "(N,) against (N, 1)",
        lambda: nn.MSELoss().forward(rows[:, :1], rows[:, 0]),
        "expected a target of the prediction's shape (32, 1), received (32,)",
    ),
    ("empty batch", lambda: nn.MSELoss().forward(rows[:0], rows[:0]), "at least one sample"),
    (
        "learning rate that explodes",
        lambda: command("train", "--learning-rate", "10000", "--quiet"),
        "the first layer with a non-finite output is layer",
    ),
    (
        "class instead of layer",
        lambda: nn.Sequential(nn.Linear(784, 10), nn.ReLU),
        "write ReLU() with parentheses",
    ),
    (
        "missing data set",
        lambda: nn.load_dataset("fashion-mnist", root="nowhere"),
        "train-images-idx3-ubyte",
    ),
    ("unknown data set", lambda: nn.load_dataset("fashion_mnist"), "did you mean 'fashion-mnist'?"),
    (
        "damaged npz",
        lambda: load(lambda path: path.write_bytes(b"PK\x03\x04 half a file")),
        "is damaged or no .npz file",
    ),
    (
        "file of another model",
        lambda: load(lambda path: nn.save(model(hidden=32), path)),
        "0.W is (32, 784), expected (16, 784)",
    ),
    (
        "output folder that cannot be",
        lambda: command("train", "--out", "a-file/run"),
        "a-file/run: Not a directory",
    ),
    (
        "wrong option",
        lambda: command("train", "--learning-rate", "fast"),
        "expected a positive number, received 'fast'",
    ),
    (
        "points for a convolutional net",
        lambda: command("train", "--data", "moons", "--model", "cnn"),
        "is for images, moons has none",
    ),
    ("a folder without a run", lambda: command("plot", "nowhere", "--weights"), "holds no run"),
    ("mistyped option", lambda: command("train", "--lr", "0.1"), "unrecognized arguments: --lr"),
]


def message(mistake):
    """The message of the exception that a mistake raises, or what the command line prints."""
    try:
        mistake()
    except Printed as printed:
        return str(printed)
    except (ValueError, RuntimeError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing was raised"


if __name__ == "__main__":
    for name, mistake, _ in MISTAKES:
        print(f"{name}\n    {message(mistake)}")
