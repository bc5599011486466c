"""Which learning rate to begin with: a short training whose rate grows until the loss does."""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers import BatchNorm
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.optimizers.schedules import count
from nnscratch.training.augmenting import Augment, Augmenting
from nnscratch.training.checks import check_numbers, check_parts
from nnscratch.training.nonfinite import NotFiniteError
from nnscratch.training.normalizing import fit_normalize
from nnscratch.training.samples import Batch, Samples, Stream, checked_size, samples_for
from nnscratch.training.updater import train_step

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RangeTest", "learning_rate_range_test"]

DIVERGED = 4  # times the smallest loss, above which no larger rate is tried
SHARE = 20  # of the steps, over which losses are averaged on each side
RULE = "the rate at which the smoothed loss falls fastest, along the logarithm of the rate"


@dataclass(frozen=True)
class RangeTest:
    """What `learning_rate_range_test` found.

    Attributes
    ----------
    rates, losses : array (steps,)
        The rate of each step, and the loss before it.
    smoothed : array (steps,)
        The losses, each averaged with its neighbours.
    suggestion : float or None
        A rate to begin with; None where no rate made the loss fall.
    rule : str
        How the suggestion was found, or why there is none.
    """

    rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    rule: str

    def plot(self, path: str | os.PathLike[str] | None = None, **options: Any) -> Figure:
        """Draw the loss over the rates, and save the picture if a path is given.

        Options are those of `nnscratch.plots.plot_range_test`.
        """
        from nnscratch.plots import plot_range_test

        figure = plot_range_test(self, **options)
        if path is not None:
            figure.savefig(path)
        return figure

    def __repr__(self) -> str:
        found = "no suggestion" if self.suggestion is None else f"{self.suggestion:.2g}"
        tried = f"{len(self.rates)} rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        return f"RangeTest of {tried}: {found} ({self.rule})"


@checks_kinds
def learning_rate_range_test(
    model: Layer,
    loss: Loss,
    optimizer: Optimizer,
    x: Any,
    y: Any = None,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 128,
    rng: int | np.random.Generator | None = None,
    sample_weight: Any = None,
    augment: Augment = None,
    clip_norm: float | None = None,
) -> RangeTest:
    """Train a copy with a learning rate that grows from step to step, and look at the loss.

    The model and the optimizer themselves are left as they are, to the last bit.

    Parameters
    ----------
    model, loss, optimizer
        As for `Trainer`. Groups whose rate is a number of their own keep it.
    x, y, batch_size, rng, sample_weight
        As for `Trainer.fit`.
    low, high : float > 0
        The first and the last rate; between them each is larger than the one before by the same
        factor.
    steps : int >= 10
        How many rates are tried, a minibatch each.
    augment, clip_norm
        As for `Trainer`.

    Returns
    -------
    found : RangeTest
        It ends early where the smoothed loss has grown to four times its smallest value, or where
        something became NaN or infinite.

    Notes
    -----
    With too small a rate the loss stays where it is, with a good one it falls, with too large a one
    it grows. The suggestion is the rate at which the smoothed loss falls fastest, as a function of
    the logarithm of the rate, up to its minimum. Smoothing takes the mean over a window around
    each step, which shifts nothing, while an exponential mean would lag behind by decades of rates.
    It is a rate to begin with: another model, or as many more epochs, may like a better one.

    Raises
    ------
    ValueError
        Parts do not belong together, or a setting is out of range.
    RuntimeError
        The data, or the loss at the first rate, are not finite.

    References
    ----------
    Smith, Cyclical learning rates for training neural networks (2017), section 3.3; the picture
    with a logarithmic axis, and its steepest place, are fastai's `lr_find`.

    Examples
    --------
    >>> import nnscratch as nn
    >>> digits, model = nn.load_dataset("digits"), nn.mlp([64, 64, 10], rng=0)
    >>> optimizer, loss = nn.SGD(model), nn.SoftmaxCrossEntropy()
    >>> found = learning_rate_range_test(
    ...     model, loss, optimizer, digits.x_train, digits.y_train, rng=0
    ... )
    >>> 0.1 < found.suggestion < 2
    True
    """
    check_parts(model, loss, optimizer, None)
    check_numbers(clip_norm, 1, None)
    _check_range(low, high, steps)
    if not model.trained:
        raise ValueError("a range test of a model that is frozen as a whole; unfreeze() some of it")
    samples, size = samples_for(x, y, sample_weight), checked_size(batch_size)
    model, optimizer = copy.deepcopy((model, optimizer))
    fit_normalize(model, samples, size)
    model.train()
    change, order = Augmenting(augment), np.random.default_rng(rng)
    batches = _endless(samples, size, order, model)
    rates, losses = np.geomspace(low, high, steps), list[float]()
    for rate, batch in zip(rates, batches, strict=False):
        optimizer.learning_rate = float(rate)
        when = f"at learning rate {rate:.2g}"
        batch = change(batch, order) if change else batch
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                step = train_step(model, loss, optimizer, batch, when, clip_norm=clip_norm)
        except NotFiniteError:
            if not losses:
                raise
            break
        losses.append(step.loss / step.weight)
        if _diverged(losses, steps):
            break
    return _found(rates[: len(losses)], np.array(losses), steps)


def _check_range(low: float, high: float, steps: int) -> None:
    if not 0 < low < high < math.inf:
        raise ValueError(f"a range of rates is 0 < low < high, received {low!r} and {high!r}")
    if count("steps", steps) < 10:
        raise ValueError(f"a range test takes at least 10 steps, received {steps}")


def _endless(
    samples: Samples | Stream, size: int, order: np.random.Generator, model: Layer
) -> Iterator[Batch]:
    """Minibatches of one epoch after the other; a ValueError where an epoch has none."""
    joins = any(isinstance(layer, BatchNorm) for _, layer in model.walk())
    while True:
        empty = True
        for batch in samples.batches(size, order, joins):
            empty = False
            yield batch
        if empty:
            raise ValueError("a range test received no minibatch; the iterable is empty")


def _diverged(losses: list[float], steps: int) -> bool:
    """Whether the mean of the last losses is far above the smallest such mean."""
    width = max(2, steps // SHARE)
    if len(losses) < 2 * width:
        return False
    means = np.convolve(losses, np.ones(width) / width, mode="valid")
    best = means.min()
    return bool(means[-1] > best + (DIVERGED - 1) * abs(best))


def _found(rates: np.ndarray, losses: np.ndarray, steps: int) -> RangeTest:
    """The result, with the suggestion that the losses give."""
    smoothed = _smoothed(losses, max(2, steps // SHARE))
    lowest = int(np.argmin(smoothed))
    if lowest == 0:
        rule = f"no rate from {rates[0]:.2g} on made the loss fall; try a smaller low="
        return RangeTest(rates, losses, smoothed, None, rule)
    slope = np.gradient(smoothed, np.log(rates))
    steepest = int(np.argmin(slope[: lowest + 1]))
    return RangeTest(rates, losses, smoothed, float(rates[steepest]), RULE)


def _smoothed(losses: np.ndarray, width: int) -> np.ndarray:
    """The mean over so many steps on each side, or as many as there are."""
    sums = np.concatenate([[0.0], np.cumsum(losses)])
    places = np.arange(len(losses))
    first = np.maximum(places - width, 0)
    behind = np.minimum(places + width + 1, len(losses))
    return (sums[behind] - sums[first]) / (behind - first)
