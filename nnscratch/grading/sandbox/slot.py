"""The slots of this process: which level it reaches, and start-up processes kept for reuse."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from dataclasses import dataclass

from nnscratch.grading.sandbox.confined import Slot
from nnscratch.grading.sandbox.errors import SandboxError
from nnscratch.grading.sandbox.launch import PlainStart

HIGHEST = 3
NAMES = {
    0: "an ordinary process",
    1: "resource limits; for root also own uid, seccomp, own root folder",
    2: "resource limits, own uid, seccomp, own root folder, Landlock",
    3: "resource limits, own uid, seccomp, own root folder, Landlock, namespaces",
}


@dataclass(frozen=True)
class Detected:
    """The highest level that holds here, and why each higher one does not."""

    level: int
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"sandbox level {self.level} ({NAMES[self.level]})"


_lock = threading.Lock()
_idle: list[Slot] = []
_detected: list[Detected] = []
_owner = os.getpid()


def detect_level() -> Detected:
    """Find the highest level by starting a worker in it, which tries what it must not be able to.

    Examples
    --------
    >>> detect_level().level in (0, 1, 2, 3)
    True
    """
    with _lock:
        if not _detected:
            _detected.append(_detect())
        return _detected[0]


def _detect() -> Detected:
    if not sys.platform.startswith("linux"):
        return Detected(0, (f"levels 1 to {HIGHEST} need Linux",))
    reasons: list[str] = []
    for level in range(HIGHEST, 0, -1):
        try:
            _idle.append(Slot(level))
        except SandboxError as error:
            text = str(error)
            reasons.append(text if text.startswith("level") else f"level {level}: {text}")
        else:
            return Detected(level, tuple(reasons))
    return Detected(0, tuple(reasons))


def take(level: int | None) -> Slot | PlainStart:
    """Return a slot for one worker: an idle one, or a new one.

    Parameters
    ----------
    level : int or None
        None is the highest that holds.

    Raises
    ------
    SandboxError
        This level cannot be had here.
    ValueError
        There is no such level.
    """
    if level is None:
        level = detect_level().level
    if level not in NAMES:
        raise ValueError(f"sandbox level {level}: expected one of {', '.join(map(str, NAMES))}")
    if level == 0:
        return PlainStart()
    with _lock:
        _forget_those_of_a_parent()
        for slot in _idle:
            if slot.level == level:
                _idle.remove(slot)
                return slot
    return Slot(level)


def give_back(slot: Slot | PlainStart) -> None:
    """Keep a slot for the next worker."""
    if isinstance(slot, Slot):
        with _lock:
            _idle.append(slot)


def close_all() -> None:
    """End every idle start-up process. Those in use end with their workers, or with us."""
    with _lock:
        _forget_those_of_a_parent()
        while _idle:
            _idle.pop().close()


def _forget_those_of_a_parent() -> None:
    """After a fork the slots are the parent's still: two users would hear each other's answers."""
    global _owner
    if _owner != os.getpid():
        _idle.clear()
        _owner = os.getpid()


atexit.register(close_all)
