"""What can come of running a student's code: each way to fail is a class of its own.

All but :class:`SandboxError` are the student's: the item gets 0 points and the others are graded.
"""

from __future__ import annotations

from nnscratch.grading.sandbox.protocol import escape

LONGEST, LONGEST_TRACEBACK = 500, 5000


class WorkerError(Exception):
    """Student code gave no value. ``str`` is one line, escaped and capped, and says why."""

    def __init__(self, text: str) -> None:
        super().__init__(escape(" ".join(_capped(text, LONGEST).split())))


class StudentError(WorkerError):
    """Student code raised an exception; the worker lives on.

    Attributes
    ----------
    exception, message : str
        Name of the exception's class, and its text.
    traceback : str
        The frames in the student's files, as Python prints them; newlines kept, the rest escaped.
    not_implemented : bool
        The exception is NotImplementedError: nothing was handed in here.
    """

    def __init__(self, exception: str, message: str, traceback: str) -> None:
        exception = _capped(exception, LONGEST)
        super().__init__(f"{exception}: {message}" if message else exception)
        self.exception = escape(exception)
        self.message = escape(_capped(message, LONGEST_TRACEBACK), keep="\n\t")
        self.traceback = escape(_capped(traceback, LONGEST_TRACEBACK), keep="\n\t")
        self.not_implemented = exception == "NotImplementedError"


class ForbiddenValue(WorkerError):
    """Student code returned what may not leave the worker; the worker lives on."""


class TooMuch(WorkerError):
    """Student code returned arrays of more bytes than are received; the worker was ended."""


class TimedOut(WorkerError):
    """The worker was ended at its limit of wall or CPU time (``limit``), of ``seconds``."""

    def __init__(self, limit: str, seconds: float) -> None:
        name = {"wall": "time", "cpu": "CPU time"}[limit]
        super().__init__(f"not done within {seconds:g} s of {name}, which is the limit of the item")
        self.limit = limit
        self.seconds = seconds


class WorkerDied(WorkerError):
    """The process ended before it answered; ``status`` is "exit status 0", "SIGSEGV", ..."""

    def __init__(self, status: str) -> None:
        super().__init__(f"the process ended before it answered ({status})")
        self.status = status


class ProtocolViolation(WorkerError):
    """The worker sent bytes that the trusted code in it never sends."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the worker sent what no honest one sends: {reason}")


class LimitExceeded(WorkerError):
    """The working folder grew beyond its limit."""


class SandboxError(RuntimeError):
    """A fault of ours or of the machine, never of the student: no grade comes of it."""


def _capped(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 4] + " ..."
