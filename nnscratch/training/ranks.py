"""Data-parallel steps on MPI ranks: each takes its part of every minibatch, all take the same step.

    rank 0   rows 0 ... 63     -> gradients |                  | the same sum, the same step
    rank 1   rows 64 ... 127   -> gradients | Σ by Allreduce   | the same sum, the same step
                                + loss, weight, answers, right

The gradients of the parts and the figures of the step lie in one vector, so a step costs one
exchange. The order of the samples, the augmentation and the masks of Dropout are drawn on each
rank by equal generators for the whole batch; BatchNorm's statistics are those of the whole batch.
"""

from __future__ import annotations

import math
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.part import Part
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.training.between import refuse_whole_batches
from nnscratch.training.evaluation import joined
from nnscratch.training.nonfinite import explain_loss
from nnscratch.training.parted import CheckedStream, PartOfSamples, PartOfStream, part_of
from nnscratch.training.samples import Batch, Samples, Stream
from nnscratch.training.updater import Step, Totals, Updater, train_step

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer

FIGURES = 5  # behind the gradients: loss, weight, answers, right, interrupts


class Ranks(Updater):
    """The steps of a run on one of several ranks; each has one of these.

    Parameters
    ----------
    trainer : Trainer
        Its `communicator` joins the ranks.

    Raises
    ------
    ValueError
        A layer draws or looks at the batch in a way that parts cannot, or is of float16.
    """

    def __init__(self, trainer: Trainer) -> None:
        from mpi4py import MPI

        self._in_place = MPI.IN_PLACE
        self.trainer, self.model = trainer, trainer.model
        refuse_whole_batches(self.model, "rank", "communicator=")
        refuse_float16(self.model)
        self.communicator = trainer.communicator.Dup()
        self.rank, self.ranks = self.communicator.rank, self.communicator.size
        self.threads = fewer_threads(self.communicator, MPI.COMM_TYPE_SHARED)
        self.keeps_predictions = bool(trainer.metrics)
        trainer.optimizer.move(_with_room)
        self.grads = trainer.optimizer.grads
        self.vectors: list[Any] = [vector.base for vector in self.grads.vectors.values()]
        self.figures = max(self.vectors, key=lambda vector: vector.itemsize)[-FIGURES:]
        self.part = Part(self._add_up)
        for _, layer in self.model.walk():
            if hasattr(type(layer), "part"):
                layer.part = self.part
        self.current: Batch | None = None
        self.interrupts = 0
        self._listen()
        try:
            self.agreed(None)  # rank 0's weights and rates
        except BaseException:
            self.close()
            raise

    def step(self, batch: Batch, when: str = "in this step") -> Step:
        """As `train_step`, with this rank's part of the batch, or the batch of which it is one."""
        if batch.whole is None:
            batch = part_of(batch, self.rank, self.ranks)
        assert batch.whole is not None
        self.current = batch
        part = self.part
        part.first, part.size = batch.whole * self.rank // self.ranks, batch.length
        part.whole = batch.whole
        trainer = self.trainer
        step = train_step(
            self.model,
            trainer.loss,
            trainer.optimizer,
            batch,
            when,
            clip_norm=trainer.clip_norm,
            exchange=self,
        )
        self._stop_if_interrupted(self.figures[-1])
        if self.keeps_predictions:
            step = step._replace(prediction=joined(self.communicator.allgather(step.prediction)))
        return step

    # What `train_step` asks of those who share a batch ------------------------------------

    def total_weight(self, loss: Loss, prediction: Any) -> float:
        """How many samples there are: what they weigh is known only after the exchange."""
        return float(self.part.whole)

    def add_up(self, grads: Any, step: Step, when: str) -> tuple[Any, Step]:
        for name, grad in grads.items():
            if grad is not self.grads[name]:
                self.grads[name][...] = grad
        right = math.nan if step.right is None else step.right
        self.figures[:] = step.loss, step.weight, step.answers, right, self.interrupts
        for vector in self.vectors:
            self._add_up(vector)
        loss, weight, answers, right = self.figures[:-1].tolist()
        if not math.isfinite(loss):
            self._explain(f"{when}: the loss is {loss}")
        if self.trainer.loss.reduction == "mean":
            if not weight > 0:
                raise ValueError(
                    f"{when}: {self.trainer.loss} expected samples that count, received a "
                    "minibatch of which all weigh 0 or are ignored; leave it out"
                )
            if weight != self.part.whole:
                for vector in self.grads.vectors.values():
                    vector *= vector.dtype.type(self.part.whole / weight)
        answered = None if math.isnan(right) else right
        return self.grads, Step(weight, loss, round(answers), answered, step.prediction)

    def update(self, optimizer: Optimizer, grads: Any) -> None:
        optimizer.step(grads)

    # What the epochs ask ------------------------------------------------------------------

    def shared(self, samples: Samples | Stream) -> Any:
        """Parts of minibatches, or whole ones where something looks at them first."""
        if isinstance(samples, Stream):
            return CheckedStream(samples, self.communicator)
        if self.trainer.augment is not None or self.keeps_predictions:
            return samples
        return PartOfSamples(samples, self.rank, self.ranks)

    def share(self, samples: Samples | Stream) -> Any:
        if isinstance(samples, Stream):
            return PartOfStream(samples, self.communicator)
        return PartOfSamples(samples, self.rank, self.ranks)

    def summed(self, totals: Totals, kept: list[Any]) -> list[Any]:
        sums = np.array([math.nan if of is None else of for of in totals.sums()])
        self._add_up(sums)
        totals.restore([None if math.isnan(of) else of for of in sums.tolist()])
        every = self.communicator.allgather(kept) if kept else []
        return [
            (joined([p for p, _ in parts]), joined([y for _, y in parts]))
            for parts in zip(*every, strict=True)
        ]

    def agreed(self, value: Any) -> Any:
        """Rank 0's value, and with it its weights, its rate and its place in the schedule."""
        self.finish()
        optimizer, schedule = self.trainer.optimizer, self.trainer.schedule
        place = None if schedule is None else schedule.progress
        value, steps, rate, place = self.communicator.bcast(
            (value, optimizer.steps, optimizer.learning_rate, place)
        )
        if self.rank:
            if schedule is not None:
                schedule.restore(place)
            optimizer.steps, optimizer.learning_rate = steps, rate
        self._stop_if_interrupted(self.communicator.allreduce(self.interrupts))
        return value

    def finish(self) -> None:
        """Take rank 0's weights: unlike processors may round differently, and callbacks write."""
        optimizer = self.trainer.optimizer
        optimizer.attach()
        for arrays in (optimizer.params, *optimizer.slots.values()):
            for vector in arrays.vectors.values():
                self.communicator.Bcast(vector)
        for buffer in self.model.buffers.values():
            buffer[...] = self.communicator.bcast(buffer)

    def close(self) -> None:
        """Leave the layers and Ctrl-C as they were."""
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        for _, layer in self.model.walk():
            vars(layer).pop("part", None)
        if self.threads is not None:
            self.threads.restore_original_limits()
        self.communicator.Free()

    def _add_up(self, vector: np.ndarray) -> None:
        self.communicator.Allreduce(self._in_place, vector)

    def _explain(self, when: str) -> None:
        """Raise on all ranks what one process with the whole batch would raise."""
        parts = self.communicator.allgather(self.current)
        names = ("x", "y", "weight", "numbers")
        arrays = [[getattr(batch, name) for batch in parts] for name in names]
        x, y, weight, numbers = (None if of[0] is None else joined(of) for of in arrays)
        whole = Batch(x, y, weight, numbers=numbers)
        for _, layer in self.model.walk():
            vars(layer).pop("part", None)
        explain_loss(self.model, self.trainer.optimizer, whole, when, self.trainer.clip_norm)

    def _listen(self) -> None:
        """Have Ctrl-C end the run on all ranks behind the same step, where it would end it here."""
        self._handler: Any = None
        ours = threading.current_thread() is threading.main_thread()
        if ours and callable(signal.getsignal(signal.SIGINT)):
            self._handler = signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, *_: Any) -> None:
        if self.interrupts:  # the second time: at once
            self.communicator.Abort(130)
        self.interrupts = 1

    @staticmethod
    def _stop_if_interrupted(interrupts: float) -> None:
        if interrupts > 0:
            raise KeyboardInterrupt


def refuse_float16(model: Layer) -> None:
    """A ValueError for what MPI has no sum of."""
    if any(array.dtype.itemsize < 4 for array in model.params.values()):
        raise ValueError(
            "MPI adds up no float16; convert the model, model.astype('f4'), or leave out "
            "communicator="
        )


def fewer_threads(communicator: Any, kind: int) -> Any:
    """Share a machine's cores among its ranks, whose products would else compete for them.

    Returns what gives the threads back, or None where the package threadpoolctl is missing.
    """
    try:
        from threadpoolctl import threadpool_info, threadpool_limits
    except ImportError:
        return None
    here = communicator.Split_type(kind)
    now = max((pool["num_threads"] for pool in threadpool_info()), default=1)
    limits = threadpool_limits(max(1, min(now, (os.cpu_count() or 1) // here.size)))
    here.Free()
    return limits


def _with_room(size: int, dtype: Any) -> np.ndarray:
    """Zeros, with room for the figures of a step behind them."""
    return np.zeros(size + FIGURES, dtype)[:size]
