"""The start-up process of a slot: imports NumPy once, and forks a fresh worker for each item.

Importing NumPy takes longer than most items. A fork of a process that has imported it and has
never seen a line of student code is as fresh as a new interpreter: what a worker changes is its
own copy of the memory, and ends with it. One slot runs one worker at a time, so that every process
beneath this one belongs to that worker.

It is started with an empty environment, takes orders over a private socket, and ends when the
parent does; its workers end when it does.
"""

from __future__ import annotations

import errno
import json
import os
import select
import signal
import socket
import sys
import sysconfig
import tempfile
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from nnscratch.grading.sandbox import jail, kernel, landlock
from nnscratch.grading.sandbox.child import serve
from nnscratch.grading.sandbox.folder import remove
from nnscratch.grading.sandbox.levels import confine
from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.preload import STANDARD_MODULES, preload
from nnscratch.grading.sandbox.protocol import message

PATIENCE = 10.0  # seconds until processes that we killed must be gone


def main() -> None:
    """Serve a slot; ``sys.argv[1:]`` is NumPy's folder, the control socket, the level, the uid."""
    packages, descriptor, level, uid = sys.argv[1], *map(int, sys.argv[2:5])
    control = socket.socket(fileno=descriptor)
    try:
        preload(packages, STANDARD_MODULES)
        slot = _Slot(packages, control, level, uid)
    except Exception as error:
        _send(control, {"failed": _line(error)})
        return
    _send(control, {"ready": True})
    while True:
        slot.watch()
        text, received, _, _ = socket.recv_fds(control, 1 << 16, 2)
        try:
            if not text:  # the parent has gone
                slot.stop(0.0)
                return
            order = json.loads(text)
            if order["do"] == "start":
                answer = slot.start(Limits(**order["limits"]), *received)
            else:
                answer = slot.stop(order["grace"])
        except (OSError, RuntimeError) as error:
            answer = {"failed": _line(error)}
        finally:
            for opened in received:
                os.close(opened)
        _send(control, answer)


class _Slot:
    def __init__(self, packages: str, control: socket.socket, level: int, uid: int) -> None:
        self._control = control
        self._level = level
        self._uid = uid
        self._worker = 0
        self._folder = ""
        self._told: dict[str, Any] = {}
        standard, dynamic = sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")
        numpy = [f"{packages}/{name}" for name in ("numpy", "numpy.libs")]
        numpy = [folder for folder in numpy if Path(folder).is_dir()]
        self._readable = [(folder, landlock.READ) for folder in numpy]
        for folder in {standard, dynamic}:
            # Entry by entry, for site-packages often lies in the same folder; its list of names is
            # needed by every import.
            self._readable.append((folder, landlock.READ_DIR))
            self._readable += [
                (str(path), landlock.READ)
                for path in Path(folder).iterdir()
                if path.name not in jail.FOREIGN
            ]
        # Processes whose own parent ends become ours, and cannot escape.
        kernel.process_control(kernel.PR_SET_CHILD_SUBREAPER, 1)
        if level >= 3:
            self._namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
            jail.enter([*{standard, dynamic}, *numpy])

    def start(self, limits: Limits, connection: int, output: int) -> dict[str, Any]:
        self._folder = jail.FOLDER if self._level >= 3 else tempfile.mkdtemp(prefix="nnscratch-")
        try:
            pid = jail.fork_into_namespace(self._namespace) if self._level >= 3 else os.fork()
        except OSError:
            self._clear_folder()
            raise
        if pid == 0:
            self._become_worker(limits, connection, output)
        self._worker = pid
        return {"folder": self._folder if self._level < 3 else "", "pid": pid}

    def _become_worker(self, limits: Limits, connection: int, output: int) -> NoReturn:
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.dup2(output, 1)
            os.dup2(output, 2)
            channel = socket.socket(fileno=os.dup(connection))
            self._control.detach()
            # Nothing of the parent's stays open: not its control socket, not its namespaces.
            kept = channel.fileno()
            os.closerange(3, kept)
            os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX"))
            if self._level >= 3:
                jail.prepare_worker(limits.folder_size)
            try:
                confine(self._level, self._uid, self._folder, self._readable, limits)
            except (OSError, ValueError) as error:
                channel.sendall(b"".join(message({"failed": _line(error)}, [])))
                os._exit(1)
            serve(channel, self._level, limits.reply)
        except BaseException:
            with suppress(BaseException):
                traceback.print_exc()
                sys.stderr.flush()
        os._exit(1)

    def watch(self) -> None:
        """Wait for an order; when the worker ends before it, end what it leaves behind.

        Else its children would keep its connection open, and the parent waiting.
        """
        if not self._worker:
            return
        ended = os.pidfd_open(self._worker)
        try:
            ready, _, _ = select.select([self._control.fileno(), ended], [], [])
        finally:
            os.close(ended)
        if ended in ready:
            self._end(0.0)

    def stop(self, grace: float) -> dict[str, Any]:
        if self._worker:
            self._end(grace)
        self._clear_folder()
        return self._told

    def _end(self, grace: float) -> None:
        status, seconds, killed = self._end_worker(grace)
        self._worker = 0
        code = os.waitstatus_to_exitcode(status)
        self._told = {"exit": code, "cpu": seconds, "killed": killed}
        self._end_orphans()

    def _end_worker(self, grace: float) -> tuple[int, float, bool]:
        until = time.monotonic() + grace
        while True:
            pid, status, usage = os.wait4(self._worker, os.WNOHANG)
            if pid:
                return status, usage.ru_utime + usage.ru_stime, False
            if time.monotonic() >= until:
                break
            time.sleep(0.001)
        # Its session first, at once: a race with what it starts meanwhile is for _end_orphans.
        with suppress(ProcessLookupError):
            os.killpg(self._worker, signal.SIGKILL)
        os.kill(self._worker, signal.SIGKILL)
        _, status, usage = os.wait4(self._worker, 0)
        return status, usage.ru_utime + usage.ru_stime, True

    def _end_orphans(self) -> None:
        """Kill and reap until we have no child: then nothing descends from us."""
        until = time.monotonic() + PATIENCE
        with suppress(ChildProcessError):
            while time.monotonic() < until:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
                self._kill_all()
                time.sleep(0.001)
            raise RuntimeError("processes of the worker cannot be ended")

    def _kill_all(self) -> None:
        if self._uid != os.getuid():
            # One call kills all that the uid has, between two forks of theirs: no bomb outruns it.
            helper = os.fork()
            if helper == 0:
                os.setresgid(self._uid, self._uid, self._uid)
                os.setresuid(self._uid, self._uid, self._uid)
                with suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
                os._exit(0)
            os.waitpid(helper, 0)
            return
        for pid in _descendants():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _clear_folder(self) -> None:
        if self._level >= 3 or not self._folder:
            return  # it vanished with the worker's mounts

        remove(self._folder)
        self._folder = ""


def _descendants() -> list[int]:
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            stat = (process / "stat").read_text(errors="replace")
            parents[int(process.name)] = int(stat.rpartition(")")[2].split()[1])
    found = [os.getpid()]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found[1:]


def _send(control: socket.socket, answer: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # the parent has gone, which the next read tells
        control.sendall(json.dumps(answer).encode())


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename and error.errno != errno.ENOENT:
        return f"{error.filename}: {error.strerror}"
    return f"{type(error).__name__}: {error}"
