"""A worker as a process: started, talked to within its limits, and ended with all that it left."""

from __future__ import annotations

import math
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NoReturn

from nnscratch.grading.sandbox import slot as slots
from nnscratch.grading.sandbox.errors import (
    LimitExceeded,
    TimedOut,
    WorkerDied,
    WorkerError,
)
from nnscratch.grading.sandbox.fair import FairClock
from nnscratch.grading.sandbox.folder import MAX_FILES, holds_more_than, remove
from nnscratch.grading.sandbox.launch import Ended
from nnscratch.grading.sandbox.limits import Limits

GRACE = 1.0  # seconds for a process that closed its connection to end
PATIENCE = 60.0  # seconds for the output's reader to come to the end
LOOK_EVERY = 0.1  # seconds between two looks at the working folder


class Process:
    """A fresh process in a sandbox, waiting for its first message.

    Parameters
    ----------
    level : int or None
        Of the sandbox; None is the highest that holds.
    limits : Limits
        The wall time runs from now.

    Attributes
    ----------
    level : int
        The level reached.
    output : bytearray
        What was printed so far, capped.
    wall, cpu : float
        Seconds used, when it has ended.

    Raises
    ------
    SandboxError
        It cannot be started.
    """

    def __init__(self, level: int | None, limits: Limits) -> None:
        self._limits = limits
        self._slot = slots.take(level)
        self.level = self._slot.level
        try:
            self._running = self._slot.start(limits)
        except BaseException:
            self._slot.close()
            raise
        self._error: WorkerError | None = None
        self._is_over = False
        self._began = time.monotonic()
        self._folder_seen = self._began
        self._clock = FairClock(self._running.pid)
        self.wall = self.cpu = 0.0
        self.output = bytearray()
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()

    def _read_output(self) -> None:
        while piece := os.read(self._running.output, 1 << 16):
            self.output += piece[: self._limits.output - len(self.output)]
        os.close(self._running.output)

    def send(self, pieces: list[bytes | memoryview]) -> None:
        """Send all of it.

        Raises
        ------
        WorkerError
            What ended the process, now or before; the same in :meth:`read`.
        """
        for piece in pieces:
            rest = memoryview(piece)
            while rest:
                rest = rest[self._transfer(socket.socket.send, rest) :]

    def read(self, buffer: memoryview) -> None:
        """Fill the buffer."""
        while buffer:
            buffer = buffer[self._transfer(socket.socket.recv_into, buffer) :]

    def _transfer(
        self, action: Callable[[socket.socket, memoryview], int], what: memoryview
    ) -> int:
        """Send or receive something, with an eye on the limits; how many bytes it was."""
        if self._error is not None:
            raise self._error
        if self._is_over:
            raise RuntimeError("the worker has ended; ask inside its with block")
        self._clock.computed()
        while True:
            now = time.monotonic()
            rest = self._limits.wall - self._clock.spent
            if rest <= 0 or now - self._began >= self._limits.real:
                self.fail(TimedOut("wall", self._limits.wall))
            piece = min(rest, self._clock.look())
            self._running.connection.settimeout(piece)
            try:
                count = action(self._running.connection, what)
            except TimeoutError:
                self._clock.waited(piece, in_vain=True)
                self._look_at_folder(now)
                continue
            except OSError:
                count = 0
            self._clock.waited(min(time.monotonic() - now, piece), in_vain=False)
            if count == 0:
                self._ended_by_itself()
            return count

    def _look_at_folder(self, now: float) -> None:
        if now - self._folder_seen < LOOK_EVERY:
            return
        self._folder_seen = now
        folder, size = self._running.folder, self._limits.folder_size
        if folder and holds_more_than(folder, size):
            self.fail(
                LimitExceeded(
                    f"the working folder holds more than {size} bytes or {MAX_FILES} files"
                )
            )

    def fail(self, error: WorkerError) -> NoReturn:
        """End the process for a reason, which every later call gives too."""
        self.end(0.0)
        self._error = error
        raise error

    def _ended_by_itself(self) -> NoReturn:
        ended = self.end(GRACE)
        self._error = self._cause(ended)
        raise self._error

    def _cause(self, ended: Ended) -> WorkerError:
        if ended.killed:
            return WorkerDied("it closed its connection")
        # The kernel counts towards the limit in ticks, and reports what was used exactly.
        seconds = math.ceil(self._limits.cpu)
        if ended.exit == -signal.SIGKILL and ended.cpu > 0.5 * seconds:
            return TimedOut("cpu", seconds)
        if ended.exit < 0:
            return WorkerDied(signal.Signals(-ended.exit).name)
        return WorkerDied(f"exit status {ended.exit}")

    def end(self, grace: float = 0.0) -> Ended:
        """End the process and all that came of it; wait ``grace`` seconds for it to end itself.

        Raises
        ------
        SandboxError
            Something of it is left.
        """
        if self._is_over:
            return Ended(0, self.cpu, False)
        self._is_over = True
        try:
            ended = self._slot.stop(grace)
        except BaseException:
            self._slot.close()
            if self._running.folder:
                with suppress(OSError):  # the start-up process may have done it
                    remove(self._running.folder)
            raise
        else:
            slots.give_back(self._slot)
        finally:
            self._running.connection.close()
        # From level 1 up every writer is gone: what was printed is read to its end, however long
        # a busy machine takes. At level 0 something may still write.
        self._reader.join(PATIENCE if self.level >= 1 else GRACE)
        self.wall, self.cpu = time.monotonic() - self._began, ended.cpu
        return ended
