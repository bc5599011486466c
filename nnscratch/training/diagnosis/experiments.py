"""What a diagnosis tries out when a run came to nothing: is it the net, or is it the data?"""

from __future__ import annotations

import copy
import math

import numpy as np

from nnscratch.layers import Dropout, Layer
from nnscratch.losses import BCEWithLogits, Loss
from nnscratch.optimizers import Adam
from nnscratch.training.samples import Batch
from nnscratch.training.updater import train_step

TEN = 10
STEPS = 400  # of Adam; the nets of tests/test_training_diagnosis.py need at most 60
NEIGHBOURS = 1000  # samples compared with each other: their products take some milliseconds


def best_guess(loss: Loss, prediction: np.ndarray, y: np.ndarray) -> tuple[float, float | None]:
    """(loss per sample, accuracy or None) of the best answer that does not look at x.

    The frequencies of the classes for labels, the mean for numbers.

    Examples
    --------
    >>> import nnscratch as nn
    >>> best_guess(nn.MSELoss(), np.zeros((1, 1)), np.array([[1.0], [3.0]]))
    (0.5, None)
    >>> best_guess(nn.HingeLoss(), np.zeros((1, 2)), np.array([0, 0, 0, 1]))[1]
    0.75
    """
    if y.dtype.kind in "iu" and y.ndim < prediction.ndim:
        counted = y[loss.sample_counts(prediction, y) > 0]  # some labels may be ignored
        counts = np.bincount(counted.ravel(), minlength=prediction.shape[-1])
        with np.errstate(divide="ignore"):
            guess = np.maximum(np.log(counts / counts.sum()), -50)  # a class may be missing
    else:
        guess = y.mean(axis=0, dtype=np.float64)
        if isinstance(loss, BCEWithLogits):
            share = np.clip(guess, 1e-9, 1 - 1e-9)
            guess = np.log(share / (1 - share))
    guesses = np.broadcast_to(guess, (len(y), *prediction.shape[1:]))
    value, cache = loss.forward_pass(guesses, y)
    correct = loss.correct(guesses, y)
    value *= cache.total / loss.total_weight(guesses, y)
    return value, None if correct is None else float(correct.mean())


def overfits_ten_samples(model: Layer, loss: Loss, x: np.ndarray, y: np.ndarray) -> float:
    """The share of its loss that is left when a copy of the model has trained on ten samples.

    Any net with enough weights can overfit ten samples. One that cannot has a mistake before the
    data comes in: in its structure, its first weights or a gradient.

    References
    ----------
    Karpathy, A recipe for training neural networks (2019), "overfit one batch".
    """
    rows = np.linspace(0, len(x) - 1, min(TEN, len(x))).astype(int)
    x, y = x[rows], y[rows]
    model = copy.deepcopy(model).train()
    for _, layer in model.walk():
        layer.training = not isinstance(layer, Dropout)  # noise is there to prevent just this
    optimizer = Adam(model)
    first = least = math.inf
    with np.errstate(all="ignore"):
        for _ in range(STEPS):
            try:
                seen = train_step(model, loss, optimizer, Batch(x, y))
            except RuntimeError:  # NaN or infinity
                break
            value = seen.loss / seen.weight
            if first == math.inf:
                first = value
            least = min(least, value)
            if not value > 0.05 * first:
                break
    return least / first if first > 0 else 0.0


def label_disagreement_of_neighbours(x: np.ndarray, y: np.ndarray) -> float:
    """How much the targets of nearest neighbours differ, as a share of those of any two samples.

    Near 0 where like inputs have like targets, and 1 where the targets do not belong to the
    inputs, as after shuffling one without the other. NaN where all targets are equal.

    References
    ----------
    Cover and Hart, Nearest neighbor pattern classification (1967).
    """
    rows = np.linspace(0, len(x) - 1, min(NEIGHBOURS, len(x))).astype(int)
    points = x[rows].reshape(len(rows), -1).astype(np.float64)
    targets = y[rows].reshape(len(rows), -1)
    squares = np.einsum("ij,ij->i", points, points)
    distances = squares[:, None] + squares - 2 * points @ points.T
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    others = np.roll(np.arange(len(rows)), len(rows) // 2)  # as good as drawn, and repeatable
    near, far = (_difference(targets, targets[partners]) for partners in (nearest, others))
    return near / far if far else np.nan


def _difference(y: np.ndarray, other: np.ndarray) -> float:
    if y.dtype.kind in "iub":
        return float((y != other).mean())
    return float(np.square(y - other).mean())
