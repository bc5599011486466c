"""Steps of training by several processes, each on its share of every minibatch.

Where a net's samples do not depend on each other, the gradient of a batch is the sum of those of
its parts. The processes are forked from this one, with all vectors in memory that they share:

    process 0   first half of x  -> gradients 0 |   | sum and update the first half of w  |
    process 1   second half of x -> gradients 1 |   | sum and update the second half of w |
                                              all wait                                all wait

So the convolutions, activations and poolings of all samples, of which NumPy computes only the
matrix products on several cores, take part of the time; and so does the optimizer.
"""

from __future__ import annotations

import math
import mmap
import multiprocessing
import os
import signal
import warnings
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.flat import FlatArrays, clip_norm, share_of
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.training.evaluation import Totals, explain_nonfinite

TRIES = 2000  # before a waiting process sleeps: the others are at most some 100 us behind
FINISH = -1  # the order of no step, only to meet
PATIENCE = 1.0  # seconds between looks whether those waited for are still alive


class Team:
    """The steps of a run, shared among processes; otherwise like `Steps`.

    Parameters
    ----------
    workers : int >= 2
        Processes, this one included.
    model, loss, optimizer, clip_norm
        Those of the `Trainer`.

    Raises
    ------
    ValueError
        Samples of this model depend on each other, or on what is drawn for the batch.
    RuntimeError
        This system cannot fork, or a process died.
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
        refuse_dependent_samples(model)
        if "fork" not in multiprocessing.get_all_start_methods():
            raise RuntimeError("workers need a system that forks processes; leave out workers=")
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
        self.batch: tuple[np.ndarray, np.ndarray] | None = None
        self.gates = [_context().Semaphore(0) for _ in range(workers)]
        self.children: list[Any] = []
        self.limits = threadpool_limits(1)

    def step(self, x: np.ndarray, y: np.ndarray, totals: Totals, when: str) -> None:
        """As `Steps.step`."""
        if self.batch is None:
            self._fork(x, y)
        assert self.batch is not None
        for place, given in zip(self.batch, (x, y), strict=True):
            if (given.shape[1:], given.dtype) != (place.shape[1:], place.dtype):
                raise ValueError(
                    f"{when}: workers expected samples of shape {place.shape[1:]} and dtype "
                    f"{place.dtype} as before, received {given.shape[1:]} and {given.dtype}; "
                    "leave out workers= where augment changes them"
                )
            place[: len(given)] = given
        self.orders[:] = len(x), self.optimizer.learning_rate
        self._meet(0)
        self._gradients(0)
        self._meet(0)
        losses = self.sums[:, 1]
        if not np.isfinite(losses).all():
            rate = self.optimizer.learning_rate
            explain_nonfinite(self.model, x, f"{when}: the loss is {losses.sum()}", rate)
        self._update(0)
        for weight, loss, answers, right in self.sums.tolist():
            totals.merge(weight, loss, int(answers), None if math.isnan(right) else right)

    def finish(self) -> None:
        """Return when all processes are done with the last step."""
        if self.children:
            self.orders[0] = FINISH
            self._meet(0)
            self._meet(0)  # now all have read the order, and a new one may be written

    def close(self) -> None:
        """End the other processes, and move all arrays back into memory of this one."""
        for child, _ in self.children:
            child.kill()
            child.join()
        self.children = []
        self.limits.restore_original_limits()
        self.optimizer.move(np.zeros)

    def _fork(self, x: np.ndarray, y: np.ndarray) -> None:
        """Start the other processes, once it is known what a batch looks like."""
        self.batch = (
            shared_zeros((len(x) + 1, *x.shape[1:]), x.dtype),  # the last one may be larger by one
            shared_zeros((len(y) + 1, *y.shape[1:]), y.dtype),
        )
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
                self._meet(number)
                if self.orders[0] == FINISH:
                    self._meet(number)
                    continue
                self._gradients(number)
                self._meet(number)
                self._update(number)
        except Exception as error:
            errors.send(error)

    def _gradients(self, number: int) -> None:
        """Forward and backward for one process's part of the batch."""
        assert self.batch is not None
        samples, self.optimizer.learning_rate = int(self.orders[0]), float(self.orders[1])
        start, stop = (samples * n // self.workers for n in (number, number + 1))
        x, y = (array[start:stop] for array in self.batch)
        grads, totals = self.grads[number], Totals()
        if start == stop:  # fewer samples than processes
            for vector in grads.vectors.values():
                vector[:] = 0
        else:
            prediction, cache = self.model.forward_pass(x)
            whole = self.loss.total_weight(prediction, self.batch[1][:samples])
            value, loss_cache = self.loss.forward_pass(prediction, y, total=whole)
            dy = self.loss.backward_pass(1.0, loss_cache)
            _, found = self.model.backprop(dy, cache, grads, need_dx=False)
            for name, grad in found.items():
                if grad is not grads[name]:  # a layer without `out`
                    grads[name][...] = grad
            totals.add(self.loss, value * loss_cache.total, prediction, y)
        right = math.nan if totals.right is None else totals.right
        self.sums[number] = totals.weight, totals.loss, totals.answers, right

    def _update(self, number: int) -> None:
        """Sum the gradients of all, and update one process's part of the parameters."""
        part = (number, self.workers) if self.clip_norm is None else (0, 1)
        for dtype, total in self.total.vectors.items():
            mine = share_of(total, *part)
            first, *others = (share_of(grads.vectors[dtype], *part) for grads in self.grads)
            np.add(first, others[0], out=mine)
            for other in others[1:]:
                mine += other
        if self.clip_norm is not None:  # which looks at all gradients
            _, norm = clip_norm(self.total, self.clip_norm)
            if norm > self.clip_norm:
                for total in self.total.vectors.values():
                    total *= self.clip_norm / norm
        self.optimizer.advance(self.total, number, self.workers)

    def _meet(self, number: int) -> None:
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


def refuse_dependent_samples(model: Layer) -> None:
    """A ValueError for models whose halves of a batch do not add up to the batch."""
    for path, layer in model.walk():
        place = f"layer {path}, {layer}" if path else f"{layer}"
        if layer.buffers and not layer.layers:  # a container's are those of its layers
            raise ValueError(
                f"{place} looks at the batch as a whole, of which each worker sees a part; "
                "leave out workers="
            )
        if hasattr(layer, "rng"):
            raise ValueError(
                f"{place} draws random numbers, which would be the same ones in each worker; "
                "leave out workers="
            )


def shared_zeros(shape: int | tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Zeros in memory that forked processes share."""
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    memory = mmap.mmap(-1, max(1, count * np.dtype(dtype).itemsize))
    return np.frombuffer(memory, dtype, count).reshape(shape)


def _context() -> Any:
    return multiprocessing.get_context("fork")
