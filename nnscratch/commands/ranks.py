"""A command on several MPI ranks: the first one speaks and writes, and all end together."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

from nnscratch.commands.options import Parser, complain

RANK = ("PMI_RANK", "PMIX_RANK", "OMPI_COMM_WORLD_RANK")  # set by MPICH and its kin, and Open MPI
RANKS = ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE")
SAID = (OSError, ValueError, RuntimeError, ImportError, MemoryError)  # in one line; others: a bug


def refuse_ranks(parser: Parser) -> None:
    """End the program where mpiexec has started it several times over, each for itself.

    The first one says why; the others end in silence, as if all was well, since an mpiexec that
    sees one fail ends all, and that might be before the first has spoken.
    """
    started = next((int(os.environ[name]) for name in RANKS if name in os.environ), 1)
    if started > 1:
        if next((os.environ[name] for name in RANK if name in os.environ), "0") != "0":
            sys.exit(0)
        parser.error(
            f"mpiexec started this {started} times, and each would train for itself; add --mpi to "
            "share the work, or leave out mpiexec"
        )


def on_ranks(command: Callable[[Any], int]) -> int:
    """Run a command, which takes the communicator, on every rank; rank 0's exit status on all."""
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError) as error:  # the latter where there is no library of MPI
        raise ImportError(
            f"--mpi needs mpi4py and an MPI ({error}); pip install 'nnscratch[mpi]' mpich"
        ) from None
    from nnscratch.training.job import ends_as_one

    communicator = MPI.COMM_WORLD
    rank = communicator.rank
    sys.excepthook = _in_one_line
    status = 1
    try:
        with ends_as_one(communicator):
            if rank:
                with redirect_stdout(StringIO()):
                    command(communicator)
            else:
                status = command(communicator)
    except SAID as error:
        if not rank:
            complain(error)
    except SystemExit as end:  # wrong usage, which rank 0 has explained
        status = end.code if isinstance(end.code, int) else 1
    return communicator.bcast(status)


def once(communicator: Any, make: Callable[[], Any]) -> Any:
    """What rank 0 makes, or the one process there is."""
    from nnscratch.training.job import first

    return make() if communicator is None else first(communicator, make)


def in_turn(communicator: Any, make: Callable[[], Any]) -> Any:
    """What each rank makes for itself, rank 0 first: it may fetch a file that all then read."""
    made = []
    once(communicator, lambda: made.append(make()))
    return made[0] if made else make()


def _in_one_line(kind: type[BaseException], error: BaseException, where: Any) -> None:
    """As `sys.excepthook`: what a command says in one line, and tracebacks of bugs."""
    if isinstance(error, SAID):
        complain(error)
    else:
        sys.__excepthook__(kind, error, where)
