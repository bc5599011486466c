"""What other processes took of the processors meanwhile: whether the machine was quiet."""

import os
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100  # a second, in /proc


class Disturbance:
    """From its making on, the share of the processors that others than some processes take.

    Parameters
    ----------
    pids : list of int
        The processes measured; their children count as theirs once they have ended.
    """

    def __init__(self, pids):
        self.pids = [os.getpid(), *pids]
        self.start, self.busy, self.ours = self._now()

    def share(self):
        """From 0 to 1; None where the system does not tell."""
        now, busy, ours = self._now()
        if busy == 0:
            return None
        others = (busy - self.busy) - (ours - self.ours)
        return max(0.0, others / ((now - self.start) * os.cpu_count()))

    def _now(self):
        """(time, seconds that the processors were busy, seconds that they were so for us)."""
        ours = busy = 0
        try:
            _, user, nice, system, _, _, *interrupts = Path("/proc/stat").read_text().split()[:9]
            busy = sum(map(int, (user, nice, system, *interrupts)))  # and what the host took
            for pid in self.pids:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ours += sum(map(int, fields[11:15]))
        except OSError:  # no Linux, or a process that has just ended
            pass
        return time.perf_counter(), busy / TICKS, ours / TICKS


def sentence(share):
    if share is None:
        return "how much other processes took of the processors is not known here"
    warning = ": too much for these figures to mean anything" if share > 0.1 else ""
    return f"other processes took {100 * share:.0f} % of the processors meanwhile{warning}"
