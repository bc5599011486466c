"""A job of several MPI ranks: they agree before they start, and they fail as one.

An error that one rank alone meets would leave the others waiting for it for ever. So what can fail
before the steps is tried on each and told to all, and what fails later ends the job, unless all
ranks have failed at once, by the same error: then each raises it.
"""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nnscratch.training.checks import check_folder
from nnscratch.training.fingerprints import compare, fingerprints

if TYPE_CHECKING:
    from nnscratch.training.samples import Samples, Stream
    from nnscratch.training.state import RunState
    from nnscratch.training.trainer import Trainer

PATIENCE = 3.0  # seconds that an error waits for those of the other ranks
PASSING_ON = 0.5  # seconds for mpiexec, which drops what it has not passed on when a job aborts


@contextmanager
def together(
    trainer: Trainer,
    begun: Callable[[], tuple[RunState, Samples | Stream, int]],
    validation: Any,
    epochs: int,
) -> Iterator[tuple[RunState, Samples | Stream, int]]:
    """`Trainer.fit` on all ranks; `begun` makes what one process would begin with."""
    communicator = trainer.communicator
    with ends_as_one(communicator):

        def begin() -> Any:
            state, samples, size = begun()
            if trainer.leads:
                check_folder(trainer.checkpoint)
            told = fingerprints(trainer, samples, validation, epochs, size)
            return state, samples, size, told

        every = gathered(communicator, begin, keep=lambda made: made[3])
        (state, samples, size, _), told = every
        compare(told)
        yield _of_the_first(trainer, state), samples, size


def _of_the_first(trainer: Trainer, state: RunState) -> RunState:
    """Rank 0's state, and its generators for the layers that draw.

    They travel together: a generator that fit and layers share is then shared on all ranks.
    """
    drawing = [layer for _, layer in trainer.model.walk() if hasattr(layer, "rng")]
    state, rngs = trainer.communicator.bcast((state, [layer.rng for layer in drawing]))
    for layer, rng in zip(drawing, rngs, strict=True):
        layer.rng = rng
    return state


def first(communicator: Any, make: Callable[[], Any]) -> Any:
    """What rank 0 makes, on every rank; where it fails, its error on every rank."""
    made = error = None
    if communicator.rank == 0:
        try:
            made = make()
        except (Exception, SystemExit) as found:
            error = _portable(found)
    made, error = communicator.bcast((made, error))
    if error is not None:
        raise error
    return made


def gathered(
    communicator: Any, make: Callable[[], Any], keep: Callable[[Any], Any]
) -> tuple[Any, list[Any]]:
    """(what this rank makes, what is kept of it on each); where one fails, an error on all."""
    made = kept = failed = None
    try:
        made = make()
        kept = keep(made)
    except Exception as found:
        failed = _portable(found)
    every = communicator.allgather((kept, failed))
    if failed is not None:
        raise failed
    for rank, (_, error) in enumerate(every):
        if error is not None:
            kind = ValueError if isinstance(error, ValueError) else RuntimeError
            raise kind(f"rank {rank} could not begin: {error}")
    return made, [kept for kept, _ in every]


@contextmanager
def ends_as_one(communicator: Any) -> Iterator[None]:
    """Raise an error that all ranks meet; write out one that only some meet, and end the job.

    What is written is what the interpreter writes of an error that nobody catches, so a program
    with a `sys.excepthook` of its own decides how it looks.
    """
    alarm = communicator.Dup()
    try:
        yield
    except BaseException as error:
        if not _all_have_failed(alarm):
            print(
                f"rank {communicator.rank} of {communicator.size} failed and ends the job:",
                file=sys.stderr,
            )
            sys.excepthook(type(error), error, error.__traceback__)
            sys.stderr.flush()
            time.sleep(PASSING_ON)
            communicator.Abort(1)
            os._exit(1)  # where Abort leaves that to others
        raise
    finally:
        alarm.Free()


def _all_have_failed(alarm: Any) -> bool:
    """Whether every rank comes here within some seconds."""
    here, end = alarm.Ibarrier(), time.monotonic() + PATIENCE
    while not here.Test():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def _portable(error: BaseException) -> BaseException:
    """The error, or one with its text where it cannot be sent to another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        kind = ValueError if isinstance(error, ValueError) else RuntimeError
        return kind(str(error))
    return error
