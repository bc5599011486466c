"""The working folder of a worker: how much it holds, and its end, whatever was done to it."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path

MAX_FILES = 1000


def holds_more_than(folder: str, size: int) -> bool:
    """Whether a folder holds more than ``size`` bytes or ``MAX_FILES`` entries, or hides what.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     count = Path(folder, "data").write_bytes(bytes(100))
    ...     holds_more_than(folder, 99), holds_more_than(folder, 100)
    (True, False)
    """
    total = number = 0
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except FileNotFoundError:  # just deleted
            continue
        except OSError:  # locked, or too deep for a path: nothing that an honest worker does
            return True
        number += len(entries)
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            else:
                with suppress(FileNotFoundError):
                    total += entry.stat(follow_symlinks=False).st_size
        if total > size or number > MAX_FILES:
            return True
    return False


def remove(folder: str) -> None:
    """Delete a folder and all in it, however deep it is and whatever its permissions are.

    The content of each folder in it is first moved to the top: no path grows long, and nothing
    calls itself. A link is deleted, not followed.

    Raises
    ------
    OSError
        Something cannot be deleted; nothing of the worker may run any more.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> Path(folder, "a", "b", "c").mkdir(parents=True)
    >>> remove(folder)
    >>> Path(folder).exists()
    False
    """
    top = Path(folder)
    top.chmod(0o700)
    prefix = os.urandom(8).hex()  # of a name that is not there
    names = (top / f"{prefix}-{number}" for number in count())
    while entries := list(top.iterdir()):
        for entry in entries:
            if entry.is_symlink() or not entry.is_dir():
                entry.unlink()
                continue
            entry.chmod(0o700)
            for inner in entry.iterdir():
                if inner.is_dir() and not inner.is_symlink():
                    inner.chmod(0o700)  # moving a folder writes its ".."
                inner.rename(next(names))
            entry.rmdir()
    top.rmdir()
