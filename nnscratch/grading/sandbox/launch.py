"""How a process for student code begins and ends; at level 0 that is all there is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.grading.sandbox.errors import SandboxError
from nnscratch.grading.sandbox.folder import remove
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.protocol import receive
from nnscratch.grading.sandbox.values import Caps, Malformed

ANSWER_WITHIN = 120.0  # seconds; a machine may be suspended for a while

# This folder alone, without what it lies in: the library must not be there to be found.
_BOOT = """\
import sys, types
for name in "nnscratch", "nnscratch.grading", "nnscratch.grading.sandbox":
    sys.modules[name] = types.ModuleType(name)
sys.modules[name].__path__ = [sys.argv.pop(1)]
sys.path.append(sys.argv[1])
"""


@dataclass(frozen=True)
class Running:
    """A worker that has begun: socket, pipe of its output, folder ("" if hidden), process."""

    connection: socket.socket
    output: int
    folder: str
    pid: int

    def close(self) -> None:
        """Close the parent's ends."""
        self.connection.close()
        os.close(self.output)


@dataclass(frozen=True)
class Ended:
    """How a worker ended: exit status or minus the signal; CPU seconds; by us or by itself."""

    exit: int
    cpu: float
    killed: bool


def command(module: str, function: str, *arguments: object) -> list[str]:
    """Return the command line of a process that runs a function of this package."""
    sandbox = Path(__file__).resolve().parent
    packages = Path(np.__file__).parents[1]
    boot = f"{_BOOT}from nnscratch.grading.sandbox import {module}\n{module}.{function}()"
    words = [sys.executable, "-I", "-S", "-X", "utf8", "-c", boot]
    return [*words, str(sandbox), str(packages), *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return the environment to start with: one BLAS thread. It is emptied after the start."""
    libraries = ("OPENBLAS_NUM", "OMP_NUM", "MKL_NUM", "VECLIB_MAXIMUM")
    result = {f"{name}_THREADS": "1" for name in libraries}
    if sys.platform == "win32":
        result["SYSTEMROOT"] = os.environ["SYSTEMROOT"]  # no socket without it
    return result


class PlainStart:
    """Level 0: each worker is an ordinary process, ended with its group where there are groups."""

    level = 0

    def start(self, limits: Limits) -> Running:
        """Start a worker, and wait until it is ready.

        Raises
        ------
        SandboxError
            It could not be started.
        """
        connection, theirs = socket.socketpair()
        reading, writing = os.pipe()
        folder = tempfile.mkdtemp(prefix="nnscratch-")
        options: dict[str, Any] = {"stdin": subprocess.DEVNULL}
        number = theirs.fileno()
        if sys.platform == "win32":
            # A socket is handed over as bytes that only this process can turn back into one.
            options["stdin"] = subprocess.PIPE
        else:
            options.update(pass_fds=(number,), start_new_session=True)
        try:
            self._process = subprocess.Popen(
                command("child", "plain", number, limits.reply),
                stdout=writing,
                stderr=writing,
                env=environment(),
                cwd=folder,
                **options,
            )
            self._folder = folder
            if sys.platform == "win32":
                assert self._process.stdin is not None
                with self._process.stdin as stdin:
                    stdin.write(theirs.share(self._process.pid))
        except OSError as error:
            connection.close()
            os.close(reading)
            remove(folder)
            raise SandboxError(f"a worker cannot be started: {error}") from None
        finally:
            theirs.close()
            os.close(writing)
        running = Running(connection, reading, folder, self._process.pid)
        try:
            await_ready(connection, 0)
        except SandboxError as error:
            words = os.read(reading, 1 << 16).decode(errors="replace").split("\n")
            running.close()
            self.stop(0.0)
            raise SandboxError(" ".join([str(error), *words[-2:]])) from None
        return running

    def stop(self, grace: float) -> Ended:
        """End the worker; wait ``grace`` seconds for it to end itself."""
        killed = False
        try:
            self._process.wait(grace)
        except subprocess.TimeoutExpired:
            killed = True
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        status = self._process.wait()
        with suppress(OSError):  # a process that escaped may still write there
            remove(self._folder)
        return Ended(status, 0.0, killed)

    def close(self) -> None:
        """Nothing is kept between workers."""


def await_ready(connection: socket.socket, level: int) -> None:
    """Wait for the first message of a worker, in which no student code has arrived yet."""

    def read(buffer: memoryview) -> None:
        while buffer:
            count = connection.recv_into(buffer)
            if count == 0:
                raise SandboxError(f"level {level}: a worker ended before it was ready")
            buffer = buffer[count:]

    connection.settimeout(ANSWER_WITHIN)
    try:
        header, _ = receive(read, Caps())
    except (OSError, Malformed) as error:
        raise SandboxError(f"level {level}: a worker did not get ready: {error}") from None
    if header.get("ready") != level:
        raise SandboxError(f"level {level}: {header.get('failed')}")
