"""What calls are made with: nets, data, files."""

from __future__ import annotations

import pathlib
import tempfile

import numpy as np

import nnscratch as nn
from nnscratch import data

FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="misuse"))
SKIPPED = {"self", "communicator", "options", "inputs", "callbacks_"}


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def model():
    return nn.Sequential(nn.Linear(3, 4, rng=0), nn.ReLU(), nn.Linear(4, 3, rng=1))


def images():
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, rng=0), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3, rng=0)
    )


def labels():
    return np.array([0, 1, 2, 1])


def optimizer():
    return nn.SGD(model(), 0.1, momentum=0.9)


def parts():
    m = model()
    return m, nn.SoftmaxCrossEntropy(), nn.SGD(m, 0.1)


def history():
    found = nn.History()
    for loss in (3.0, 2.0):
        found.append(train_loss=loss, valid_loss=loss, learning_rate=0.1)
    return found


def saved():
    path = FOLDER / "right.npz"
    nn.save(model(), path)
    return path


def idx():
    path = FOLDER / "right-idx2-float"
    data.idx.save_idx(path, normal(3, 2))
    return path
