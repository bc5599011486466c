"""The mean of the weights on their way, which is often better than where they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.checkpoint import model_arrays
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.training.callbacks import Callback

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer

__all__ = ["WeightAverage"]


@dataclass
class Average:
    """A mean of arrays, in float64.

    Attributes
    ----------
    count : int
        How many were added.
    arrays : dict of str to float64 array
    """

    count: int = 0
    arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, params: Mapping[str, np.ndarray], decay: float | None) -> None:
        """Count the weights as they are now; see `WeightAverage`."""
        self.count += 1
        if self.count == 1:
            self.arrays.update({name: w.astype(np.float64) for name, w in params.items()})
            return
        share = 1 / self.count if decay is None else 1 - decay
        for name, mean in self.arrays.items():
            mean += share * (params[name] - mean)


class WeightAverage(Callback):
    """Average the weights while they are trained, and evaluate and keep the average.

    Validation, early stopping and what `fit` leaves in the model are of the averaged weights; the
    training itself goes on with its own. `restore` brings those back in the end.

    Parameters
    ----------
    decay : float in (0, 1), optional
        An exponential average over the steps, which forgets by this factor at each: 0.99 looks
        about 100 steps back. Without it, the plain mean of the weights after each epoch
        (stochastic weight averaging), which goes well with a rate that stays high.
    start : int >= 1
        The first epoch that counts.

    Attributes
    ----------
    count : int
        How many weights were averaged.

    Notes
    -----
    With weights w_1, w_2, ... after each step and decay d: a_1 = w_1 and
    a_t = d a_(t-1) + (1 - d) w_t. Without: a_t = (w_1 + ... + w_t) / t over epochs. The average is
    kept in float64, so that small shares are not lost.

    BatchNorm's running statistics belong to weights that were; before the average is evaluated,
    those of its own are counted from the training data, as `update_batch_norm` does: a forward
    pass over them in each epoch with a validation, and one in the end. Changes by `augment` are
    left out there.

    A checkpoint holds the average beside the weights, and a resumed run goes on with it. Another
    `fit` without `resume` begins a new average from the weights that the model has: call `restore`
    before it to go on from those that were trained.

    Raises
    ------
    ValueError
        decay or start is out of range.
    RuntimeError
        There is nothing to restore, or the run ended before the first epoch that counts.

    References
    ----------
    Polyak and Juditsky, Acceleration of stochastic approximation by averaging (1992); Izmailov,
    Podoprikhin, Garipov, Vetrov and Wilson, Averaging weights leads to wider optima and better
    generalization (2018).

    Examples
    --------
    >>> import nnscratch as nn
    >>> digits = nn.load_dataset("digits")
    >>> model = nn.mlp([64, 32, 10], rng=0)
    >>> average = WeightAverage(decay=0.98)
    >>> trainer = nn.Trainer(
    ...     model, nn.SoftmaxCrossEntropy(), nn.SGD(model, 0.3), callbacks=[average], progress=False
    ... )
    >>> history = trainer.fit(digits.x_train, digits.y_train, epochs=8, batch_size=32, rng=0)
    >>> averaged = nn.evaluate(model, nn.SoftmaxCrossEntropy(), digits.x_test, digits.y_test)
    >>> average.restore()
    >>> trained = nn.evaluate(model, nn.SoftmaxCrossEntropy(), digits.x_test, digits.y_test)
    >>> averaged != trained
    True
    """

    on_all_ranks = averages = True

    @checks_kinds
    def __init__(self, decay: float | None = None, start: int = 1) -> None:
        if decay is not None and (isinstance(decay, bool) or not 0 < decay < 1):
            raise ValueError(f"WeightAverage expected decay in (0, 1) or None, received {decay!r}")
        if index(start) < 1:
            raise ValueError(f"WeightAverage expected start, an epoch, from 1 on, received {start}")
        self.decay, self.start = None if decay is None else float(decay), index(start)
        self._average = Average()
        self._settled: dict[str, np.ndarray] | None = None  # all arrays of the averaged model
        self._trained: dict[str, np.ndarray] = {}  # those that were trained last
        self._model: Layer | None = None
        self._recount: Callable[[], None] = _nothing

    @property
    def count(self) -> int:
        return self._average.count

    def follow(self, model: Layer, average: Average, recount: Callable[[], None]) -> None:
        """Begin, or go on, with this average of a model; `recount` counts batch statistics."""
        self._model, self._average, self._recount = model, average, recount
        self._settled, self._trained = None, {}

    def after_step(self, trainer: Trainer) -> None:
        if self.decay is not None:
            self._add(trainer)

    def after_steps(self, trainer: Trainer) -> None:
        """Called after the last step of each epoch, before anything is evaluated."""
        if self.decay is None:
            self._add(trainer)

    def _add(self, trainer: Trainer) -> None:
        if len(trainer.history) + 1 >= self.start:
            self._average.add(trainer.model.params, self.decay)
            self._settled = None

    @contextmanager
    def used(self) -> Iterator[None]:
        """The model has its averaged weights meanwhile, and then again those that are trained."""
        if not self.count:
            yield
            return
        trained = self._arrays()
        try:
            self._write(self._average_of_all())
            yield
        finally:
            self._write(trained)

    def apply(self) -> None:
        """Give the model the averaged weights; `fit` ends with this."""
        if not self.count:
            raise RuntimeError(
                f"WeightAverage has averaged nothing yet; train beyond epoch {self.start}, or "
                "begin earlier with start="
            )
        self._trained = self._arrays()
        self._write(self._average_of_all())

    def restore(self) -> None:
        """Give the model back the weights that were trained last."""
        if not self._trained:
            raise RuntimeError("WeightAverage has no weights to restore; call it after fit")
        self._write(self._trained)

    def _average_of_all(self) -> dict[str, np.ndarray]:
        """The averaged weights and what belongs to them; written into the model where needed."""
        if self._settled is None:
            self._write(self._average.arrays)
            self._recount()
            self._settled = self._arrays()
        return self._settled

    def _arrays(self) -> dict[str, np.ndarray]:
        assert self._model is not None
        return {name: array.copy() for name, array in model_arrays(self._model).items()}

    def _write(self, arrays: Mapping[str, np.ndarray]) -> None:
        assert self._model is not None
        targets: Any = model_arrays(self._model)
        for name, array in arrays.items():
            targets[name][...] = array

    def __repr__(self) -> str:
        return f"WeightAverage(decay={self.decay}, start={self.start})"


def _nothing() -> None:
    pass
