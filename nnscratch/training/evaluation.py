"""How good a model is on data that it is not being trained on, and what ruined it if it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import numpy as np

from nnscratch.data import minibatches
from nnscratch.data.images import samples_of
from nnscratch.inspection.nonfinite import first_nonfinite
from nnscratch.inspection.observe import observe
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss

__all__ = ["evaluate"]


def evaluate(
    model: Layer, loss: Loss, x: Any, y: Any, batch_size: int = 512
) -> tuple[float, float | None]:
    """(mean loss per sample, accuracy) of a model in evaluation mode; its mode is kept.

    Parameters
    ----------
    model : Layer
    loss : Loss
        Also says what counts as right; the accuracy is None for a regression.
    x, y : arrays
        Inputs and targets, samples along the first axis.
    batch_size : int
        How many samples are computed at once; does not change the result beyond rounding.

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
    x, y = samples_of(x), np.asarray(y)
    batches = minibatches(x, y, batch_size)
    if len(x) == 0:
        raise ValueError("evaluation on no sample; pass at least one")
    totals = Totals()
    with modes_kept(model):
        model.eval()
        for x_batch, y_batch in batches:
            prediction, _ = model.forward_pass(x_batch)
            value, _ = loss.forward_pass(prediction, y_batch, total=1.0)  # the sum
            totals.add(loss, value, prediction, y_batch)
    return totals.means()


@contextmanager
def modes_kept(model: Layer) -> Iterator[None]:
    """Give every layer its mode, training or evaluation, back in the end."""
    modes = [(layer, layer.training) for _, layer in model.walk()]
    try:
        yield
    finally:
        for layer, training in modes:
            layer.training = training


class Totals:
    """Sums over the batches of an epoch, and their means over what counts."""

    def __init__(self) -> None:
        self.weight = self.loss = 0.0
        self.answers = 0
        self.right: float | None = 0.0

    def add(self, loss: Loss, total: float, prediction: np.ndarray, target: np.ndarray) -> None:
        """Count one batch, whose samples' losses have the sum `total`."""
        correct = loss.correct(prediction, target)
        answers, right = (0, None) if correct is None else (correct.size, float(correct.sum()))
        self.merge(loss.total_weight(prediction, target), total, answers, right)

    def merge(self, weight: float, loss: float, answers: int, right: float | None) -> None:
        """Count sums: of what the samples weigh, their losses, the answers, the right ones."""
        self.weight += weight
        self.loss += loss
        self.answers += answers
        self.right = None if right is None or self.right is None else self.right + right

    def means(self) -> tuple[float, float | None]:
        """(loss per sample, accuracy or None); NaN where nothing counts."""
        loss = self.loss / self.weight if self.weight else np.nan
        if self.right is None:
            return loss, None
        return loss, self.right / self.answers if self.answers else np.nan


def explain_nonfinite(model: Layer, x: np.ndarray, when: str, learning_rate: float) -> NoReturn:
    """Raise the RuntimeError that names what made the loss NaN or infinite."""
    if not np.isfinite(x).all():
        sample = int(np.argmin(np.isfinite(x).reshape(len(x), -1).all(axis=1)))
        raise RuntimeError(
            f"{when}: the input itself holds {_kind(x)}, first in sample {sample} of the batch; "
            "clean the data before training"
        )
    ruined = [name for name, array in model.params.items() if not np.isfinite(array).all()]
    with observe(model) as passes:
        model.forward_pass(x)
    use = first_nonfinite(passes)
    if use is None:
        raise RuntimeError(
            f"{when}: every layer's output is finite, so the loss itself overflowed; "
            "scale the targets, or lower the learning rate"
        )
    place = f"layer {use.where}, {use.layer}" if use.where else f"{use.layer}"
    cause = f", whose weights hold {_kind(model.params[ruined[0]])}" if ruined else ""
    raise RuntimeError(
        f"{when}: the first layer with a non-finite output is {place}{cause}; "
        f"lower the learning rate ({learning_rate:g} now) or clip the gradients (clip_norm=1.0)"
    )


def _kind(array: np.ndarray) -> str:
    return "NaN" if np.isnan(array).any() else "infinity"
