"""Data-parallel steps: several processes, each with its part of every minibatch.

The gradient of a batch is the sum of those of its parts; what layers need to know of the other
parts they tell each other (`between.py`). The processes are forked from this one, with all vectors
in memory that they share:

    process 0   first half of x  -> gradients 0 |   | sum and update the first half of w  |
    process 1   second half of x -> gradients 1 |   | sum and update the second half of w |
                                              all wait                                all wait

So the convolutions, activations and poolings of all samples, of which NumPy computes only the
matrix products on several cores, take part of the time; and so does the optimizer.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import warnings
from itertools import islice
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.flat import FlatArrays, share_of
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.training.between import Between, refuse_whole_batches, shared_zeros
from nnscratch.training.nonfinite import explain_loss
from nnscratch.training.parted import bounds
from nnscratch.training.samples import Batch
from nnscratch.training.updater import Step, Updater, train_step

TRIES = 2000  # before a waiting process sleeps: the others are at most some 100 us behind
FINISH = -1  # the order of no step, only to meet
PATIENCE = 1.0  # seconds between looks whether those waited for are still alive


class DataParallel(Updater):
    """The steps of a run, shared among processes; otherwise like `OneProcess`.

    Parameters
    ----------
    workers : int >= 2
        Processes, this one included.
    model, loss, optimizer, clip_norm
        Those of the `Trainer`.

    Raises
    ------
    ValueError
        A layer draws or looks at the batch in a way that parts cannot.
    RuntimeError
        This system cannot fork, this process is a daemonic one, or a process died.
    ImportError
        threadpoolctl is missing, without which the processes would compete for the cores.
    """

    def __init__(
        self,
        workers: int,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        clip_norm: float | None = None,
    ) -> None:
        refuse_whole_batches(model)
        if "fork" not in multiprocessing.get_all_start_methods():
            raise RuntimeError("workers need a system that forks processes; leave out workers=")
        if multiprocessing.current_process().daemon:
            raise RuntimeError(
                "workers= starts processes, which a daemonic one such as those of a "
                "multiprocessing.Pool may not; leave out workers= there, or take a "
                "concurrent.futures.ProcessPoolExecutor"
            )
        try:
            from threadpoolctl import threadpool_limits
        except ImportError:
            raise ImportError(
                "workers= needs the package threadpoolctl; pip install 'nnscratch[fast]'"
            ) from None
        self.workers, self.model, self.loss, self.optimizer = workers, model, loss, optimizer
        self.clip_norm = clip_norm
        optimizer.move(shared_zeros)
        self.grads = [FlatArrays(optimizer.params, allocate=shared_zeros) for _ in range(workers)]
        self.total = FlatArrays(optimizer.params)
        self.sums = shared_zeros((workers, 4), np.dtype(float))  # weight, loss, answers, right
        self.orders = shared_zeros(2, np.dtype(float))  # samples of the batch, learning rate
        self.batch: list[np.ndarray] | None = None
        self.numbers: np.ndarray | None = None  # of its samples, known to the first process
        self._kinds: tuple[int | None, int | None] = (None, None)  # how many inputs and targets
        self.number = 0  # of this process
        self.gates = [_context().Semaphore(0) for _ in range(workers)]
        self.children: list[Any] = []
        self.between = Between(model, workers, self._barrier)
        self.limits = threadpool_limits(1)

    def step(self, batch: Batch, when: str = "in this step") -> Step:
        """As `train_step`."""
        arrays, self.numbers = self._arrays(batch), batch.numbers
        if self.batch is None:
            self._fork(arrays)
        assert self.batch is not None
        for place, given in zip(self.batch, arrays, strict=True):
            if (given.shape[1:], given.dtype) != (place.shape[1:], place.dtype):
                raise ValueError(
                    f"{when}: workers expected samples of shape {place.shape[1:]} and dtype "
                    f"{place.dtype} as before, received {given.shape[1:]} and {given.dtype}; "
                    "leave out workers= where augment changes them"
                )
            place[: len(given)] = given
        self.orders[:] = batch.size, self.optimizer.learning_rate
        self.between.publish()
        self._barrier(0)
        try:
            return self._train(0, when)
        finally:
            self.between.leave()

    def finish(self) -> None:
        """Return when all processes are done with the last step."""
        if self.children:
            self.orders[0] = FINISH
            self._barrier(0)
            self._barrier(0)  # now all have read the order, and a new one may be written

    wait = finish

    def close(self) -> None:
        """End the other processes, and move all arrays back into memory of this one."""
        for child, _ in self.children:
            child.kill()
            child.join()
        self.children = []
        self.limits.restore_original_limits()
        self.optimizer.move(np.zeros)

    # What `train_step` asks of those who share a batch ------------------------------------

    def total_weight(self, loss: Loss, prediction: Any) -> float:
        whole = self._part(0, 1)
        return loss.total_weight(prediction, whole.y, whole.weight)

    def add_up(self, grads: Any, step: Step, when: str) -> tuple[FlatArrays, Step]:
        number, own = self.number, self.grads[self.number]
        for name, grad in grads.items():
            if grad is not own[name]:  # a layer without `out`
                own[name][...] = grad
        self.sums[number] = *step[:3], math.nan if step.right is None else step.right
        self._barrier(number)
        losses = self.sums[:, 1]
        if not np.isfinite(losses).all():  # all see it, and none goes on to ruin the weights
            when = f"{when}: the loss is {losses.sum()}"
            if number:
                raise RuntimeError(when)
            self.between.leave()
            whole = self._part(0, 1)._replace(numbers=self.numbers)
            explain_loss(self.model, self.optimizer, whole, when, self.clip_norm)
        for dtype, total in self.total.vectors.items():
            mine = share_of(total, *self._share)
            first, *others = (share_of(g.vectors[dtype], *self._share) for g in self.grads)
            np.add(first, others[0], out=mine)
            for other in others[1:]:
                mine += other
        weight, loss, answers, right = self.sums.sum(axis=0).tolist()
        return self.total, Step(weight, loss, int(answers), None if math.isnan(right) else right)

    def update(self, optimizer: Optimizer, grads: Any) -> None:
        if grads is not self.total:  # clipped
            for name, grad in grads.items():
                self.total[name][...] = grad
        optimizer.advance(self.total, self.number, self.workers)

    @property
    def _share(self) -> tuple[int, int]:
        """Of which gradients this process needs the sum: clipping looks at all of them."""
        return (self.number, self.workers) if self.clip_norm is None else (0, 1)

    def _train(self, number: int, when: str = "") -> Step:
        """A step on one process's part of the batch."""
        self.number = number
        self.optimizer.learning_rate = float(self.orders[1])
        self.optimizer.grads = self.grads[number]
        self.between.join(number, self._rows(number, self.workers), int(self.orders[0]))
        return train_step(
            self.model,
            self.loss,
            self.optimizer,
            self._part(number, self.workers),
            when,
            clip_norm=self.clip_norm,
            exchange=self,
        )

    def _arrays(self, batch: Batch) -> list[np.ndarray]:
        """All arrays of a batch, in the order in which `_part` takes them."""
        x, y = (of if isinstance(of, tuple) else (of,) for of in (batch.x, batch.y))
        self._kinds = (
            len(x) if isinstance(batch.x, tuple) else None,
            len(y) if isinstance(batch.y, tuple) else None,
        )
        return [*x, *y] if batch.weight is None else [*x, *y, batch.weight]

    def _part(self, number: int, parts: int) -> Batch:
        """One of so many parts of the batch in shared memory."""
        assert self.batch is not None
        rows = self._rows(number, parts)
        arrays = iter([array[rows] for array in self.batch])
        x, y = (
            next(arrays) if kind is None else tuple(islice(arrays, kind)) for kind in self._kinds
        )
        return Batch(x, y, next(arrays, None))

    def _rows(self, number: int, parts: int) -> slice:
        return bounds(int(self.orders[0]), number, parts)

    # The processes -------------------------------------------------------------------------

    def _fork(self, arrays: list[np.ndarray]) -> None:
        """Start the other processes, once it is known what a batch looks like."""
        # the last batch of an epoch may be larger by one
        self.batch = [shared_zeros((len(a) + 1, *a.shape[1:]), a.dtype) for a in arrays]
        for number in range(1, self.workers):
            here, there = _context().Pipe(duplex=False)
            child = _context().Process(target=self._serve, args=(number, there), daemon=True)
            with warnings.catch_warnings():
                # Python 3.12 warns of forking beside other threads, which may hold a lock; those
                # of the BLAS are idle now, and the child does nothing but compute.
                warnings.simplefilter("ignore", DeprecationWarning)
                child.start()
            self.children.append((child, here))

    def _serve(self, number: int, errors: Any) -> None:
        """What a process other than the first does until it is ended."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the first process
        self.parent = os.getppid()
        try:
            while True:
                self._barrier(number)
                if self.orders[0] == FINISH:
                    self._barrier(number)
                    continue
                self._train(number)
        except Exception as error:
            errors.send(error)

    def _barrier(self, number: int) -> None:
        """Wait until all processes are here."""
        for other, gate in enumerate(self.gates):
            if other != number:
                gate.release()
        for _ in range(self.workers - 1):
            for _ in range(TRIES):
                if self.gates[number].acquire(block=False):
                    break
            else:
                while not self.gates[number].acquire(timeout=PATIENCE):
                    self._look_around(number)

    def _look_around(self, number: int) -> None:
        """End this process where another one ended."""
        if number > 0:
            if os.getppid() != self.parent:
                os._exit(1)
            return
        for child, errors in self.children:
            if not child.is_alive():
                if child.exitcode == 0:  # after an error that it has sent
                    raise errors.recv()
                raise RuntimeError(f"a worker process ended with exit code {child.exitcode}")


def _context() -> Any:
    return multiprocessing.get_context("fork")
