"""What a student's process may use."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of one worker, which is one item: seconds and bytes.

    Parameters
    ----------
    wall : float
        For the worker's whole life, so that many calls, each just below a limit, gain nothing;
        what a busy machine makes it wait is not counted (see :class:`.fair.FairClock`).
    real : float
        The same with all that passes, however busy the machine is: the worker itself may be what
        it is busy with.
    cpu : float
        CPU time, which a busy machine does not use up; rounded up to whole seconds.
    memory : int
        Address space.
    processes : int
        Processes and threads, the worker among them: with 1 it cannot fork. The kernel counts
        all that a uid has, and does not count for root: it binds from level 2 up.
    file_size, folder_size, open_files : int
        The largest file, all that the working folder holds, and open files.
    reply : int
        Array bytes that one reply may hold.
    output : int
        What is kept of stdout and stderr; the rest is read and dropped.

    Raises
    ------
    ValueError
        A limit is not a positive number.

    Examples
    --------
    >>> Limits(cpu=0)
    Traceback (most recent call last):
        ...
    ValueError: Limits(cpu=0): expected a positive number
    """

    wall: float = 10.0
    real: float = 30.0
    cpu: float = 5.0
    memory: int = 1 << 30
    processes: int = 1
    file_size: int = 8 << 20
    folder_size: int = 64 << 20
    open_files: int = 64
    reply: int = 64 << 20
    output: int = 64 << 10

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (isinstance(value, int | float) and 0 < value < math.inf):
                raise ValueError(f"Limits({name}={value!r}): expected a positive number")


def restrict(limits: Limits) -> None:
    """Put the limits on this process, for good: the hard limits are lowered too.

    Raises
    ------
    OSError, ValueError
        The system refuses.
    """
    import resource  # not on every system; where it is missing there is no level 1

    seconds = math.ceil(limits.cpu)
    for what, most in (
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_AS, limits.memory),
        (resource.RLIMIT_FSIZE, limits.file_size),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_CORE, 0),
    ):
        now = resource.getrlimit(what)[1]
        value = most if now == resource.RLIM_INFINITY else min(most, now)
        resource.setrlimit(what, (value, value))
