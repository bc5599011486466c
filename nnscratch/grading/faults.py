"""Why the student's code gave no value: a `Fault` has a diagnosis, as a wrong number has."""

from __future__ import annotations

from collections.abc import Mapping

from nnscratch.grading.sandbox.errors import (
    ForbiddenValue,
    LimitExceeded,
    ProtocolViolation,
    StudentError,
    TimedOut,
    TooMuch,
    WorkerDied,
    WorkerError,
)


class Fault(Exception):
    """The student's code gave no value: why, as a code of `diagnose` and in words.

    `loading` is true where the file itself could not be loaded, `stalled` where nothing came for
    the whole wall time, though the CPU time was not used up.
    """

    def __init__(
        self, code: str, message: str, loading: bool = False, stalled: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.loading, self.stalled = code, loading, stalled


CODES: Mapping[type[WorkerError], str] = {
    ForbiddenValue: "type",
    LimitExceeded: "limit",
    ProtocolViolation: "protocol",
    TimedOut: "timeout",
    TooMuch: "too_large",
    WorkerDied: "crashed",
}


def fault_of(error: WorkerError) -> Fault:
    """What the worker says, as a diagnosis."""
    if isinstance(error, StudentError):
        if error.not_implemented:
            return Fault("not_implemented", "not implemented yet")
        if error.exception == "TooManyForwards":
            return Fault("numeric_derivative", error.message)
        lines = [str(error), *_frames(error.traceback)]
        if error.exception == "ModuleNotFoundError":
            lines.append(
                "NumPy and Python's own modules are there, and the files of the task alone"
            )
        return Fault("exception", "\n".join(lines))
    stalled = isinstance(error, TimedOut) and error.limit == "wall"
    return Fault(CODES.get(type(error), "exception"), str(error), stalled=stalled)


def _frames(traceback: str) -> list[str]:
    """The lines of a traceback that say where, without its first and last."""
    return [line for line in traceback.splitlines() if line.startswith(" ")][-4:]
