"""The parent's end of a start-up process: a slot, at levels 1 to 3."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nnscratch.grading.sandbox.errors import SandboxError
from nnscratch.grading.sandbox.launch import (
    ANSWER_WITHIN,
    Ended,
    Running,
    await_ready,
    command,
    environment,
)
from nnscratch.grading.sandbox.limits import Limits

FIRST_UID, LAST_UID = 60_600, 61_099  # nobody assigns these, and most containers map them


class Slot:
    """A start-up process at a level, which runs one worker after another.

    Parameters
    ----------
    level : int
        1 to 3.

    Raises
    ------
    SandboxError
        The system does not allow this level; the text says what it refused.
    """

    def __init__(self, level: int) -> None:
        self.level = level
        self._resources = ExitStack()
        try:
            self._try(level >= 2 or os.getuid() == 0)
        except SandboxError:
            if level >= 2 or os.getuid() != 0:
                raise
            self._resources = ExitStack()
            self._try(False)  # root who may not change its uid

    def _try(self, own: bool) -> None:
        """Start, and see whether the level holds; with a uid of its own where that is wanted."""
        try:
            self._start_process(self._reserve_uid() if own else os.getuid())
            self.start(Limits()).close()
            self.stop(0.0)
        except BaseException:
            self.close()
            raise

    def _reserve_uid(self) -> int:
        """Return a uid without processes, ours until the slot is closed."""
        if os.getuid() != 0:
            raise SandboxError("not run as root, so a worker cannot have a uid of its own")
        for uid in range(FIRST_UID, LAST_UID + 1):
            lock = socket.socket(socket.AF_UNIX)
            try:
                # A name of the kernel's, not of the disk: it is free again when its owner ends.
                lock.bind(f"\0nnscratch-uid-{uid}")
            except OSError:
                lock.close()
                continue
            self._resources.callback(lock.close)
            if not _has_processes(uid):
                return uid
        raise SandboxError(f"every uid from {FIRST_UID} to {LAST_UID} is in use")

    def _start_process(self, uid: int) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._resources.callback(self._control.close)
        self._control.settimeout(ANSWER_WITHIN)
        with theirs:
            try:
                self._process = subprocess.Popen(
                    command("startup", "main", theirs.fileno(), self.level, uid),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    env=environment(),
                    cwd="/",
                    pass_fds=(theirs.fileno(),),
                    start_new_session=True,  # Ctrl-C is for us; it ends when we do
                )
            except OSError as error:
                raise SandboxError(f"the start-up process cannot be started: {error}") from None
        self._receive()

    def start(self, limits: Limits) -> Running:
        """Fork a worker, and wait until it is confined.

        Raises
        ------
        SandboxError
            It could not be forked or confined.
        """
        connection, theirs = socket.socketpair()
        reading, writing = os.pipe()
        with ExitStack() as undo:
            undo.callback(connection.close)
            undo.callback(os.close, reading)
            try:
                order = json.dumps({"do": "start", "limits": asdict(limits)}).encode()
                socket.send_fds(self._control, [order], [theirs.fileno(), writing])
            except OSError as error:
                raise SandboxError(f"the start-up process has ended: {error.strerror}") from None
            finally:
                theirs.close()
                os.close(writing)
            told = self._receive()
            running = Running(connection, reading, told["folder"], told["pid"])
            try:
                await_ready(connection, self.level)
            except SandboxError:
                self.stop(0.0)
                raise
            undo.pop_all()
        return running

    def stop(self, grace: float) -> Ended:
        """End the worker and all that came of it; wait ``grace`` seconds for it to end itself.

        Raises
        ------
        SandboxError
            Something of it is left.
        """
        try:
            self._control.sendall(json.dumps({"do": "stop", "grace": grace}).encode())
        except OSError as error:
            raise SandboxError(f"the start-up process has ended: {error.strerror}") from None
        return Ended(**self._receive())

    def _receive(self) -> dict[str, Any]:
        try:
            text = self._control.recv(1 << 16)
        except TimeoutError:
            raise SandboxError(
                f"no answer from the start-up process in {ANSWER_WITHIN} s"
            ) from None
        except OSError as error:
            raise SandboxError(f"the start-up process has ended: {error.strerror}") from None
        if not text:
            raise SandboxError(f"the start-up process has ended: {self._last_words()}")
        answer: dict[str, Any] = json.loads(text)
        if "failed" in answer:
            raise SandboxError(f"level {self.level}: {answer['failed']}")
        return answer

    def _last_words(self) -> str:
        assert self._process.stderr is not None
        lines = self._process.stderr.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "without a word")

    def close(self) -> None:
        """End the start-up process, and with it everything beneath."""
        self._resources.close()
        with suppress(AttributeError):  # it never started
            try:
                self._process.wait(ANSWER_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            assert self._process.stderr is not None
            self._process.stderr.close()


def _has_processes(uid: int) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            # Not the owner of the folder: for a process that changed its uid that may be root.
            for line in (process / "status").read_text().splitlines():
                if line.startswith("Uid:") and str(uid) in line.split():
                    return True
    return False
