"""How long a worker has been waited for, without what a busy machine made it wait.

Wall time charges a student for the other processes of the machine, CPU time lets one sleep for
ever. What is charged here is the wall time between an order and its answer, less what the worker
was ready to run for and got no processor; and of the parent's own time only what it computed.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

LOOKS = 0.01, 0.03  # seconds between two looks, drawn anew: nothing can be timed to be seen running


class FairClock:
    """The seconds that a worker is charged with.

    Parameters
    ----------
    pid : int
        Of the worker, as this process sees it.

    Attributes
    ----------
    spent : float

    Notes
    -----
    Linux alone tells a process that waits for a processor from one that sleeps. The state `R` is
    both running and ready to run: the CPU time since the look before says how much of it ran.
    Elsewhere all that passes between order and answer is charged.
    """

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        self._computed = time.thread_time()
        self._cpu = 0.0
        self.spent = 0.0

    def computed(self) -> None:
        """Charge what the parent computed since it last waited: what it was sent took that long."""
        now = time.thread_time()
        self.spent += now - self._computed
        self._computed = now

    def look(self) -> float:
        """Return for how long to wait before the next look."""
        return random.uniform(*LOOKS)

    def waited(self, seconds: float, in_vain: bool) -> None:
        """Charge a time of waiting; `in_vain` where no answer has come, so that there is a look."""
        self._computed = time.thread_time()
        self.spent += max(0.0, seconds - self._starved(seconds) if in_vain else seconds)

    def _starved(self, seconds: float) -> float:
        """For how long of the last seconds the worker was ready, and did not run."""
        try:
            fields = self._stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended, or this is no Linux
            return 0.0
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        ran, self._cpu = cpu - self._cpu, cpu
        return seconds - ran if fields[0] == "R" else 0.0
