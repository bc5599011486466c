"""What a model says of data that it is not being trained on, and how good that is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.training.samples import Samples, Stream, checked_size, inputs_of
from nnscratch.training.updater import Totals, Updater, seen

__all__ = ["evaluate", "predict"]


@checks_kinds
def evaluate(
    model: Layer, loss: Loss, x: Any, y: Any, batch_size: int = 512, sample_weight: Any = None
) -> tuple[float, float | None]:
    """(mean loss per sample, accuracy) of a model in evaluation mode; its mode is kept.

    Parameters
    ----------
    model : Layer
    loss : Loss
        Also says what counts as right; the accuracy is None for a regression.
    x, y : arrays, or tuples of arrays
        Inputs and targets, samples along the first axis.
    batch_size : int
        How many samples are computed at once; does not change the result beyond rounding.
    sample_weight : array (samples,), optional

    Raises
    ------
    ValueError
        There is no sample, or x and y differ in length.

    Examples
    --------
    >>> import nnscratch as nn
    >>> evaluate(nn.Identity(), nn.SoftmaxCrossEntropy(), [[0.0, 9.0], [9.0, 0.0]], [1, 1])[1]
    0.5
    """
    samples = Samples(x, y, sample_weight, who="evaluate")
    return evaluated(model, loss, samples, checked_size(batch_size))[0]


def evaluated(
    model: Layer,
    loss: Loss,
    samples: Samples | Stream,
    batch_size: int,
    keep: bool = False,
    updater: Updater | None = None,
) -> tuple[tuple[float, float | None], list[tuple[Any, Any]]]:
    """(what `evaluate` returns, the predictions with their targets if they are to be kept).

    With an updater, of the shares of all programs of the run.
    """
    totals, kept = Totals(), list[tuple[Any, Any]]()
    updater = updater or Updater()
    with modes_kept(model):
        model.eval()
        for x, y, weight, *_ in updater.share(samples).batches(batch_size):
            prediction = predicted(model, x)
            value, _ = loss.forward_pass(prediction, y, weight, total=1.0)  # the sum
            totals.add(seen(loss, float(np.sum(value)), prediction, y, weight))
            if keep:
                kept.append((prediction, y))
    kept = updater.summed(totals, kept)
    return totals.means(), kept


@checks_kinds
def predict(model: Layer, x: Any, batch_size: int = 256) -> Any:
    """What a model says in evaluation mode, batch by batch; its mode is kept.

    Parameters
    ----------
    model : Layer
    x : array, or tuple of arrays
        The inputs, samples along the first axis; there may be none.
    batch_size : int
        How many samples are computed at once; does not change the result beyond rounding.

    Returns
    -------
    y : array, or tuple of arrays

    Raises
    ------
    ValueError
        The inputs differ in length or do not fit the model.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Sequential(nn.Linear(3, 2, rng=0), nn.Dropout(0.5))
    >>> predict(model, np.ones((1000, 3), "f4")).shape
    (1000, 2)
    >>> model.training
    True
    """
    if not isinstance(model, Layer):
        raise ValueError(f"predict expected a model, received {type(model).__name__}")
    inputs = inputs_of(x, "predict")
    starts = range(0, max(1, len(inputs[0])), checked_size(batch_size))
    with modes_kept(model):
        model.eval()
        parts = [
            predicted(model, tuple(part[start : start + batch_size] for part in inputs))
            for start in starts
        ]
    return joined(parts)


def predicted(model: Layer, x: Any) -> Any:
    """The model's output for one batch of one or several inputs."""
    return model.forward_pass(*x)[0] if isinstance(x, tuple) else model.forward_pass(x)[0]


def joined(parts: list[Any]) -> Any:
    """Batches one after the other; for several outputs a tuple."""
    if isinstance(parts[0], tuple):
        return tuple(map(np.concatenate, zip(*parts, strict=True)))
    return np.concatenate(parts)


@contextmanager
def modes_kept(model: Layer) -> Iterator[None]:
    """Give every layer its mode, training or evaluation, back in the end."""
    modes = [(layer, layer.training) for _, layer in model.walk()]
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training
