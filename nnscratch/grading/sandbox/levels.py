"""The sandbox's levels, as steps that a new process takes before student code arrives.

Each level includes those before it:

1. resource limits, a session of its own;
2. no new privileges, no capabilities, a uid that nobody else has, Landlock, seccomp;
3. mount, IPC, network and process namespaces (see jail.py).

After the steps the process tries what it must not be able to do: a level that is reached was seen
to hold, not only asked for.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from nnscratch.grading.sandbox import kernel, landlock, seccomp
from nnscratch.grading.sandbox.limits import Limits, restrict


def confine(
    level: int, uid: int, folder: str, readable: Iterable[tuple[str, int]], limits: Limits
) -> None:
    """Take this process to a level, for good, with ``folder`` as its working folder.

    Parameters
    ----------
    level : int
        1, 2 or 3. The namespaces of level 3 were entered before (see jail.py).
    uid : int
        The uid to become from level 2 up; no process has it.
    folder : str
        The working folder, empty: all that may be written.
    readable : iterable of (path, rights)
        What may be read: the standard library and NumPy.
    limits : Limits
        See there.

    Raises
    ------
    OSError, ValueError
        A step fails, or does not hold.
    """
    os.setsid()
    os.chdir(folder)
    if level >= 2:
        rules = landlock.ruleset([*readable, (folder, landlock.WORK)])
        os.chown(folder, uid, uid)
    restrict(limits)
    if level >= 2:
        kernel.drop_capabilities()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        kernel.clear_capabilities()
    # Only now: a change of uid clears the death signal.
    kernel.process_control(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    if level >= 2:
        kernel.process_control(kernel.PR_SET_DUMPABLE, 0)  # no memory image of a crash on the disk
        kernel.process_control(kernel.PR_SET_NO_NEW_PRIVS, 1)
        landlock.restrict_self(rules)
        seccomp.install()
        _verify(uid)
    if level >= 3:
        _refused("the file system", Path("/proc").stat, {errno.ENOENT})
        if os.getpid() != 1:
            raise OSError("the process namespace: not entered")


def _verify(uid: int) -> None:
    """Raise OSError unless level 2 holds in this process."""
    if os.getresuid() != (uid,) * 3 or os.getresgid() != (uid,) * 3 or os.getgroups() or uid == 0:
        raise OSError("uid: not changed")
    if kernel.capabilities():
        raise OSError("capabilities: not dropped")
    # Reading our own folder works, so that a refusal above it is not a refusal of everything.
    list(Path().iterdir())
    _refused("landlock", lambda: list(Path("/").iterdir()), {errno.EACCES})
    _refused("seccomp", lambda: socket.socket(socket.AF_UNIX), {errno.EPERM})
    _refused("uid", lambda: os.setuid(0), {errno.EPERM})
    # The kernel does not count processes of root, nor of one that is root in a namespace.
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    resource.setrlimit(resource.RLIMIT_NPROC, (1, most))
    _refused("the limit of processes", _fork, {errno.EAGAIN})
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most))


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _refused(what: str, action: Callable[[], object], codes: set[int]) -> None:
    try:
        action()
    except OSError as error:
        if error.errno in codes:
            return
        raise
    raise OSError(f"{what}: does not hold")
