"""A run of training, epoch by epoch: what `Trainer.fit` goes through."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.checkpoint import model_arrays
from nnscratch.layers import BatchNorm
from nnscratch.optimizers.plateau import ReduceOnPlateau
from nnscratch.training.augmenting import Augmenting
from nnscratch.training.batch_statistics import recount
from nnscratch.training.callbacks import Callbacks
from nnscratch.training.diagnosis.recorder import Recorder
from nnscratch.training.figures import figures
from nnscratch.training.nonfinite import check_weights, explain_refusal
from nnscratch.training.progress import EpochBar, say
from nnscratch.training.samples import Samples, Stream
from nnscratch.training.state import Begun, RunState
from nnscratch.training.updater import Totals
from nnscratch.training.validation import Validation

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer

EARLY = 0.8  # of a run: a schedule that ends before is told of


class Run:
    """The epochs of one `fit`.

    Parameters
    ----------
    trainer : Trainer
        Has the model, the loss, and all settings.
    state : RunState
        New, or that of a run that is resumed.
    samples : Samples or Stream
    validation : Samples, Stream or None
    batch_size : int
    """

    def __init__(
        self,
        trainer: Trainer,
        state: RunState,
        samples: Samples | Stream,
        validation: Samples | Stream | None,
        batch_size: int,
    ) -> None:
        self.trainer, self.state = trainer, state
        self.samples, self.batch_size = samples, batch_size
        self.validation = None if validation is None else Validation(trainer, validation)
        self.ended, self.told = "", False
        self.augment, self.callbacks = Augmenting(trainer.augment), Callbacks(trainer)
        self.average = trainer.average
        if self.average is not None:
            self.average.follow(trainer.model, state.average, self._recount)
        self.joins_single = any(isinstance(layer, BatchNorm) for _, layer in trainer.model.walk())

    @property
    def steps_per_epoch(self) -> int | None:
        """How many minibatches an epoch has, where that is known before it."""
        if self.samples.count is None:
            return None
        whole, rest = divmod(self.samples.count, self.batch_size)
        alone = 1 if whole and self.joins_single else 0  # joins the batch before it
        return whole + (rest > alone)

    def numbers(self, epochs: int) -> Iterator[int]:
        """The epochs that are left, counted from 1, until one of them ended the run."""
        state, rule = self.state, self.trainer.early_stopping
        for number in range(len(state.history) + 1, epochs + 1):
            waited = number - 1 - state.best_epoch
            if rule and rule.patience and state.best_epoch and waited >= rule.patience:
                self.ended = "early stopping"
            if self.ended:
                return
            yield number

    def epoch(self, number: int, epochs: int, step: Callable[..., Any]) -> dict[str, float]:
        """One pass over the data: what the history records of it."""
        trainer, state = self.trainer, self.state
        trainer.optimizer.check()
        start, totals, kept = time.perf_counter(), Totals(), list[tuple[Any, Any]]()
        batches, first = self._batches(totals)
        assert state.begun is not None
        learning_rate = state.begun.learning_rate  # where no step is left of this epoch
        losses = state.history.steps.setdefault("loss", [])
        schedule, every = trainer.schedule, trainer.checkpoint_every
        augment = self.augment or None
        if schedule is not None and schedule.per_epoch:
            schedule = None
        trainer.model.train()
        self.bar = EpochBar(number, epochs, self.samples.count, trainer.speaks)
        shown = self.bar.shown
        # what overflows is found and explained by the step
        with closing(self.bar), np.errstate(all="ignore"):
            for i, batch in zip(count(first), batches, strict=False):
                learning_rate = trainer.optimizer.learning_rate
                if augment is not None:
                    batch = augment(batch, state.rng)
                when = f"epoch {number}, step {i + 1}"
                try:
                    seen = step(batch, when)
                except ValueError as error:
                    explain_refusal(
                        error, trainer.model, trainer.loss, batch, when, self.samples.name
                    )
                    raise
                totals.add(seen)
                losses.append(seen.loss / seen.weight if seen.weight else math.nan)
                if self.callbacks.after_step:
                    self.callbacks.step_taken()
                if trainer.metrics:
                    kept.append((seen.prediction, batch.y))
                if schedule is not None:
                    schedule.step()
                if shown:
                    self.bar.advance(batch.size, totals.means)
                if every is not None and (i + 1) % every == 0:
                    self._save_within(i + 1, totals, learning_rate)
            values = self._after_steps(number, totals, kept)
        state.begun = None
        seconds = time.perf_counter() - start
        return trainer.updater.agreed(values | {"learning_rate": learning_rate, "seconds": seconds})

    def end_epoch(self, number: int, values: dict[str, float], recorder: Recorder | None) -> None:
        """What comes after an epoch: the record, the line, the schedule, the checkpoint."""
        trainer, state = self.trainer, self.state
        state.history.append(**values)
        if recorder is not None:
            recorder.end_epoch()
        self.bar.report(values)
        with self._averaged():
            self.keep_best(values, number)
        if isinstance(trainer.schedule, ReduceOnPlateau):
            trainer.schedule.look(values)
        if trainer.checkpoint is not None:
            trainer.save_checkpoint(state)
        self.say_if_schedule_ended(number)
        if trainer.updater.agreed(self.callbacks.stop(values)):
            self.ended = "callback"

    def say_if_schedule_ended(self, number: int) -> None:
        """Tell once of a schedule that was planned for far fewer steps than there are."""
        schedule, epochs = self.trainer.schedule, self.trainer.epochs
        if self.told or schedule is None or schedule.planned is None or number == epochs:
            return
        steps_per_epoch = schedule.steps_taken / number
        if not schedule.planned <= schedule.steps_taken < EARLY * steps_per_epoch * epochs:
            return
        self.told = True
        if self.trainer.leads:
            say(
                f"{type(schedule).__name__} has come to its end after the {schedule.planned} steps "
                f"that it was planned for: the learning rate stays at "
                f"{self.trainer.optimizer.learning_rate:g} for the {epochs - number} epochs left. "
                f"It counts minibatches, {steps_per_epoch:.0f} an epoch; for the whole run plan "
                f"{steps_per_epoch * epochs:.0f}"
            )

    def _after_steps(
        self, number: int, totals: Totals, kept: list[tuple[Any, Any]]
    ) -> dict[str, float]:
        """The figures of an epoch whose last step is taken."""
        trainer, when = self.trainer, f"after epoch {number}"
        trainer.updater.finish()
        if not totals.weight and not kept:
            raise ValueError("fit received no minibatch in this epoch; the iterable is empty")
        check_weights(trainer.model, trainer.optimizer, when, trainer.clip_norm)
        if self.average is not None:
            self.average.after_steps(trainer)
        values = figures("train", totals.means(), trainer.metrics, kept)
        if self.validation is None:
            return values
        with self._averaged():
            return values | self.validation.figures(when)

    def _averaged(self) -> AbstractContextManager[None]:
        """The weights to be evaluated and kept."""
        return nullcontext() if self.average is None else self.average.used()

    def _recount(self) -> None:
        """Find the statistics of BatchNorm that belong to the weights as they are."""
        batches = self.samples.batches(self.batch_size, join_single=self.joins_single)
        recount(self.trainer.model, batches)

    def keep_final(self) -> None:
        """Leave in the model what was asked for: an average, or the weights of the best epoch."""
        if self.average is not None and self.average.count:
            self.average.apply()
        if self.trainer.early_stopping is not None and self.state.best_arrays:
            for name, array in model_arrays(self.trainer.model).items():
                array[...] = self.state.best_arrays[name]

    def keep_best(self, values: dict[str, float], number: int) -> None:
        """For early stopping: remember the weights of the best epoch so far."""
        rule, state = self.trainer.early_stopping, self.state
        if rule is None:
            return
        if rule.metric not in values:
            raise ValueError(
                f"early stopping looks at {rule.metric}, which this loss lacks; there are "
                f"{', '.join(values)}"
            )
        if rule.better(values[rule.metric], state.best_value):
            state.best_value, state.best_epoch = values[rule.metric], number
            arrays = model_arrays(self.trainer.model)
            state.best_arrays = {name: array.copy() for name, array in arrays.items()}

    def _batches(self, totals: Totals) -> tuple[Any, int]:
        """(the batches that this epoch still has, how many are behind it)."""
        state, begun = self.state, self.state.begun
        if begun is None:
            order = dict(state.rng.bit_generator.state)
            state.begun = Begun(order, 0, [], 0.0, self.batch_size, self.samples.count)
            return self._in_order(0), 0
        self._check_goes_on(begun)
        now = state.rng.bit_generator.state  # behind the order, and what augment drew
        state.rng.bit_generator.state = begun.order
        batches = self._in_order(begun.steps)
        state.rng.bit_generator.state = now
        totals.restore(begun.totals)
        return batches, begun.steps

    def _check_goes_on(self, begun: Begun) -> None:
        """A ValueError where the rest of an epoch would not be the rest of it."""
        for what, then, now in (
            ("batch_size", begun.batch_size, self.batch_size),
            ("samples", begun.samples, self.samples.count),
        ):
            if then is not None and then != now:
                raise ValueError(
                    f"the checkpoint was written within an epoch, after {begun.steps} steps with "
                    f"{what} {then}, now {now}; go on with the same data and batch_size"
                )

    def _in_order(self, skip: int) -> Any:
        samples = self.trainer.updater.shared(self.samples)
        return samples.batches(self.batch_size, self.state.rng, self.joins_single, skip)

    def _save_within(self, steps: int, totals: Totals, learning_rate: float) -> None:
        """Write a checkpoint inside the epoch."""
        begun = self.state.begun
        if self.trainer.checkpoint is None or begun is None:
            return
        self.trainer.updater.finish()
        begun.steps, begun.totals, begun.learning_rate = steps, totals.sums(), learning_rate
        self.trainer.save_checkpoint(self.state)
