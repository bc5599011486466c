"""The sandbox's levels, as steps that a new process takes before student code arrives.

Each level includes those before it:

1. resource limits, a session of its own, no new privileges, seccomp; for root also no
   capabilities, a uid that nobody else has, and the working folder as the root folder;
2. all of these, and Landlock;
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
from contextlib import suppress
from pathlib import Path

from nnscratch.grading.sandbox import kernel, landlock, seccomp
from nnscratch.grading.sandbox.limits import Limits, restrict

WORK = "homework"  # the working folder, in the folder that becomes the root


def confine(
    level: int, uid: int, folder: str, readable: Iterable[tuple[str, int]], limits: Limits
) -> None:
    """Take this process to a level, for good, with a new working folder.

    Parameters
    ----------
    level : int
        1, 2 or 3. The namespaces of level 3 were entered before (see jail.py).
    uid : int
        The uid to become; no process has it, unless it is our own.
    folder : str
        An empty folder. The working folder in it is all that may be written.
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
    work = Path(folder, WORK) if level < 3 else Path(folder)
    work.mkdir(mode=0o700, exist_ok=True)
    os.chdir(work)
    own = uid != os.getuid()
    rules = landlock.ruleset([*readable, (str(work), landlock.WORK)]) if level >= 2 else None
    if own:
        os.chown(work, uid, uid)
    rooted = own and level < 3 and _made_root(folder)
    restrict(limits)
    if own:
        kernel.drop_capabilities()
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        kernel.clear_capabilities()
    # Only now: a change of uid clears the death signal.
    kernel.process_control(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
    kernel.process_control(kernel.PR_SET_NO_NEW_PRIVS, 1)
    if own:
        kernel.process_control(kernel.PR_SET_DUMPABLE, 0)  # no memory image of a crash on the disk
    if rules is not None:
        landlock.restrict_self(rules)
    if own:
        seccomp.install()
        _verify(uid, landlocked=rules is not None)
    else:
        with suppress(OSError):  # level 1 promises no filter
            seccomp.install()
    if rooted or level >= 3:
        _refused("the file system", Path("/proc").stat, {errno.ENOENT})
    if level >= 3 and os.getpid() != 1:
        raise OSError("the process namespace: not entered")


def _made_root(folder: str) -> bool:
    """Let the folder be all there is: Landlock refuses to open files, but not to look for them.

    What student code may import was imported before. A container may withhold this; then only
    names, sizes and dates of files can be seen.
    """
    os.chmod(folder, 0o755)  # noqa: PTH101  (a root folder that its user can pass)
    try:
        os.chroot(folder)
    except PermissionError:
        return False
    os.chdir(f"/{WORK}")
    return True


def _verify(uid: int, landlocked: bool) -> None:
    """Raise OSError unless what was asked for holds in this process."""
    if os.getresuid() != (uid,) * 3 or os.getresgid() != (uid,) * 3 or os.getgroups() or uid == 0:
        raise OSError("uid: not changed")
    if kernel.capabilities():
        raise OSError("capabilities: not dropped")
    # Reading our own folder works, so that a refusal above it is not a refusal of everything.
    list(Path().iterdir())
    if landlocked:
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
