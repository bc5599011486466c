"""One step of training on one minibatch: forward, loss, backward, update."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.flat import clip_norm as clipped
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.training.nonfinite import check_gradients, explain_loss
from nnscratch.training.samples import Batch


class Step(NamedTuple):
    """What a step saw before its update, as sums over the samples."""

    weight: float  # what the samples weigh: their number, unless told
    loss: float
    answers: int  # how many were asked of the model, 0 for a regression
    right: float | None
    prediction: Any = None


class Watcher(Protocol):
    """Who is told of every step, before and after the weights move."""

    def before_step(self, grads: Any) -> None: ...
    def after_step(self) -> None: ...


class Exchange(Protocol):
    """What the processes that share a minibatch do together; each has a part of the batch."""

    def total_weight(self, loss: Loss, prediction: Any) -> float:
        """What the samples of all parts weigh, by which a mean divides."""

    def add_up(self, grads: Mapping[str, Any], step: Step, when: str) -> tuple[Any, Step]:
        """The sums over all parts, where each process receives what it updates with.

        A RuntimeError if the loss of a part is NaN or infinite.
        """

    def update(self, optimizer: Optimizer, grads: Any) -> None:
        """Take the optimizer's step, or this process's share of it."""


def train_step(
    model: Layer,
    loss: Loss,
    optimizer: Optimizer,
    batch: Batch,
    when: str = "in this step",
    *,
    clip_norm: float | None = None,
    watcher: Watcher | None = None,
    exchange: Exchange | None = None,
) -> Step:
    """Train on one minibatch.

    Parameters
    ----------
    model, loss, optimizer
    batch : Batch
    when : str
        Which step it is, for errors.
    clip_norm : float, optional
        The largest norm of all gradients together.
    watcher : Watcher, optional
    exchange : Exchange, optional
        With the other processes, where the batch is one part of several.

    Returns
    -------
    step : Step
        The loss and the right answers before the update.

    Raises
    ------
    RuntimeError
        The loss is NaN or infinite, or a gradient is; says when, and where it arose.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> optimizer = nn.SGD(model, learning_rate=0.1)
    >>> batch = Batch(np.ones((4, 2), "f4"), np.zeros((4, 1), "f4"))
    >>> losses = [train_step(model, nn.MSELoss(), optimizer, batch).loss for _ in range(20)]
    >>> losses[-1] < 0.02 * losses[0]
    True
    """
    x, y, weight, _, _ = batch
    prediction, cache = model.forward_pass(*x) if type(x) is tuple else model.forward_pass(x)
    total = None if exchange is None else exchange.total_weight(loss, prediction)
    value, loss_cache = loss.forward_pass(prediction, y, weight, total=total)
    if exchange is None and not math.isfinite(value):
        explain_loss(model, optimizer, batch, f"{when}: the loss is {value}", clip_norm)
    optimizer.attach()
    dy = loss.backward_pass(1.0, loss_cache)
    _, grads = model.backprop(dy, cache, optimizer.grads, need_dx=False)
    correct = loss.correct(prediction, y)
    answers, right = (0, None) if correct is None else (correct.size, float(correct.sum()))
    weighs = (
        loss_cache.total
        if loss.reduction == "mean" and exchange is None
        else (loss.total_weight(prediction, y, weight))
    )
    step = Step(weighs, value * loss_cache.total, answers, right, prediction)
    if exchange is not None:
        grads, step = exchange.add_up(grads, step, when)
    if clip_norm is not None:
        unclipped, (grads, norm) = grads, clipped(grads, clip_norm)
        if exchange is None and not math.isfinite(norm):
            check_gradients(model, loss, batch, unclipped, when)
    elif exchange is None:  # the way back ends at the probe, and brings a NaN from where it arose
        probe = grads.get(optimizer.probed, 0)
        if not math.isfinite(np.vdot(probe, probe)):
            check_gradients(model, loss, batch, grads, when)
    if watcher is not None:
        watcher.before_step(grads)
    if exchange is None:
        optimizer.step(grads)
    else:
        exchange.update(optimizer, grads)
    if watcher is not None:
        watcher.after_step()
    return step


def seen(loss: Loss, total: float, prediction: Any, y: Any, weight: Any = None) -> Step:
    """The sums over a batch whose samples' losses have the sum `total`."""
    correct = loss.correct(prediction, y)
    counted = loss.total_weight(prediction, y, weight)
    if correct is None:
        return Step(counted, total, 0, None, prediction)
    return Step(counted, total, correct.size, float(correct.sum()), prediction)


class Updater:
    """Who takes the steps of a run, and what the epochs ask of the processes that take them.

    Where they are several programs that run the same epochs, they share data and decisions here;
    one program has all of both.
    """

    def shared(self, samples: Any) -> Any:
        """The samples to walk through, minibatch by minibatch."""
        return samples

    def share(self, samples: Any) -> Any:
        """Those of the samples that this program evaluates."""
        return samples

    def summed(self, totals: Totals, kept: list[Any]) -> list[Any]:
        """Make the totals those of all shares; what was kept of all of them."""
        return kept

    def agreed(self, value: Any) -> Any:
        """What the first program says."""
        return value

    def wait(self) -> None:
        """Return when the last step has written all weights: at once, but for several writers."""

    def finish(self) -> None:
        """Return when the last step is done with: at once, in one process."""

    def close(self) -> None:
        """Give back what the steps took for themselves: nothing, in one process."""


class OneProcess(Updater):
    """The steps of a run in this process."""

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        clip_norm: float | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self.step = partial(
            train_step, model, loss, optimizer, clip_norm=clip_norm, watcher=watcher
        )


class Totals:
    """Sums over the batches of an epoch, and their means over what counts."""

    def __init__(self) -> None:
        self.weight = self.loss = 0.0
        self.answers = 0
        self.right: float | None = 0.0

    def add(self, step: Step) -> None:
        """Count one batch."""
        self.weight += step.weight
        self.loss += step.loss
        self.answers += step.answers
        self.right = None if step.right is None or self.right is None else self.right + step.right

    def sums(self) -> list[float | None]:
        """All of them, to be kept and later restored."""
        return [self.weight, self.loss, self.answers, self.right]

    def restore(self, sums: Sequence[float | None]) -> None:
        """Go on from these sums."""
        self.weight, self.loss = float(sums[0] or 0), float(sums[1] or 0)
        self.answers, self.right = int(sums[2] or 0), sums[3]

    def means(self) -> tuple[float, float | None]:
        """(loss per sample, accuracy or None); NaN where nothing counts."""
        loss = self.loss / self.weight if self.weight else np.nan
        if self.right is None:
            return loss, None
        return loss, self.right / self.answers if self.answers else np.nan
