"""Landlock: which files a process may reach, whatever their permissions say.

References
----------
Linux kernel documentation, "Landlock: unprivileged access control"; include/uapi/linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from nnscratch.grading.sandbox.kernel import system_call

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

WRITE_FILE, READ_FILE, READ_DIR, MAKE_REG = 1 << 1, 1 << 2, 1 << 3, 1 << 8
TRUNCATE = 1 << 14
READ = READ_FILE | READ_DIR
# No folders, links, sockets, pipes or devices: the working folder stays flat. Nothing is removed
# or renamed either: a file without a name would fill the disk where nobody counts it.
WORK = READ | WRITE_FILE | TRUNCATE | MAKE_REG
_FOR_FILES = WRITE_FILE | READ_FILE | TRUNCATE

NEEDED_ABI = 4  # the first that also refuses TCP


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("folder", ctypes.c_int32))


def abi() -> int:
    """Return the version of the kernel's Landlock.

    Raises
    ------
    OSError
        The kernel has none, or it is switched off.
    """
    return system_call("landlock", _CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)


def ruleset(grants: Iterable[tuple[str, int]]) -> int:
    """Make a rule set that allows only the grants; its file descriptor.

    Parameters
    ----------
    grants : iterable of (path, rights)
        Rights hold for all that lies beneath a folder. What is not there is left out.

    Raises
    ------
    OSError
        There is no Landlock, or an older one than needed.
    """
    version = abi()
    if version < NEEDED_ABI:
        raise OSError(f"landlock: ABI {version}, needed {NEEDED_ABI}")
    # Every right that this kernel knows is refused if not granted. Those of ABI 4: file rights
    # up to TRUNCATE, bind and connect; 5 adds ioctl on devices; 6 abstract sockets and signals.
    files = (1 << (16 if version >= 5 else 15)) - 1
    rules = _Ruleset(files, 0b11, 0b11 if version >= 6 else 0)
    size = ctypes.c_size_t(24 if version >= 6 else 16)
    descriptor = system_call("landlock", _CREATE_RULESET, ctypes.byref(rules), size, 0)
    for path, rights in grants:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        try:
            is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
            rule = _PathBeneath(rights if is_folder else rights & _FOR_FILES, opened)
            system_call("landlock", _ADD_RULE, descriptor, _PATH_BENEATH, ctypes.byref(rule), 0)
        finally:
            os.close(opened)
    return descriptor


def restrict_self(descriptor: int) -> None:
    """Put the rule set on this process and all that come of it, for good, and close it.

    Raises
    ------
    OSError
        The process may still gain privileges (no_new_privs is not set).
    """
    system_call("landlock", _RESTRICT_SELF, descriptor, 0)
    os.close(descriptor)
