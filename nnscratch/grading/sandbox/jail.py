"""Level 3: a root folder that holds the standard library and NumPy, and nothing else.

The start-up process builds it once, for itself and all workers that it forks; each worker adds
namespaces of its own, so that it finds neither processes nor IPC objects nor files of another.
"""

from __future__ import annotations

import os
from pathlib import Path

from nnscratch.grading.sandbox import kernel
from nnscratch.grading.sandbox.folder import MAX_FILES

FOLDER = "/homework"
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
# What lies inside the standard library's folder and is not part of it.
FOREIGN = ("site-packages", "dist-packages")


def enter(folders: list[str]) -> None:
    """Leave this process with only these folders, read-only, and no network.

    Raises
    ------
    OSError
        The system refuses; the process is then of no more use.
    """
    number = _PIVOT_ROOT.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root: its number on {os.uname().machine} is not known here")
    kernel.call("unshare", kernel.CLONE_NEWNS | kernel.CLONE_NEWNET | kernel.CLONE_NEWUTS)
    kernel.mount("", "/", "", kernel.MS_REC | kernel.MS_PRIVATE)
    # Any folder may serve as the new root. /proc always exists, and nothing we need lies in it.
    root = "/proc"
    harmless = kernel.MS_NOSUID | kernel.MS_NODEV
    kernel.mount("none", root, "tmpfs", harmless, "size=1m,mode=0755")
    for folder in folders:
        place = root + folder
        Path(place).mkdir(parents=True, exist_ok=True)
        kernel.mount(folder, place, "", kernel.MS_BIND)
        kernel.mount(
            "", place, "", harmless | kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY
        )
        for name in FOREIGN:
            if Path(place, name).is_dir():
                kernel.mount("none", f"{place}/{name}", "tmpfs", harmless, "size=1m,mode=0755")
    Path(root + FOLDER).mkdir()
    os.chdir(root)
    kernel.system_call("pivot_root", number, b".", b".")  # the old root lies on the new one now
    kernel.call("umount2", b".", kernel.MNT_DETACH)
    os.chdir("/")
    kernel.mount("", "/", "", harmless | kernel.MS_REMOUNT | kernel.MS_BIND | kernel.MS_RDONLY)


def fork_into_namespace(own: int) -> int:
    """Fork; the child is process 1 of a new process namespace, and ends all of it when it ends.

    Parameters
    ----------
    own : int
        File descriptor of ``/proc/self/ns/pid``, opened before :func:`enter`.

    Returns
    -------
    pid : int
        As from os.fork, 0 in the child.
    """
    kernel.call("unshare", kernel.CLONE_NEWPID)  # for the children to come, not for us
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid != 0:
            kernel.call("setns", own, kernel.CLONE_NEWPID)
    return pid


def prepare_worker(size: int) -> None:
    """Give a worker its own mounts, IPC objects and an empty working folder of at most ``size``."""
    kernel.call("unshare", kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC)
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("none", FOLDER, "tmpfs", flags, f"size={size},nr_inodes={MAX_FILES},mode=0700")
