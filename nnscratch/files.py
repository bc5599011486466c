"""Where results reach the disk: a file is there whole, or as it was before. And what a stranger's
file may be before it is read.

Model files and histories are written through :func:`atomic_write`, so that a full disk, an
exception or Ctrl-C in the middle of saving never costs the user the file of the epoch before.
"""

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

fcntl: Any
try:
    import fcntl
except ImportError:  # on Windows, which removes no file that is open, a leftover neither
    fcntl = None

NONBLOCKING = getattr(os, "O_NONBLOCK", 0)  # opening a pipe does not wait for its other end


def _mark(target: Path) -> str:
    """What the temporary names of a target begin with, however long its own name is."""
    return f"{crc32(os.fsencode(target.name)):08x}"


def remove_unfinished(path: str | os.PathLike[str]) -> None:
    """Remove what killed writers left half written: of a file beside it, of a folder in it.

    What is being written now stays: its writer holds a lock on it, which ends with the writer.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "weights.bin")
    ...     left = Path(folder, f".{_mark(target)}01234567.tmp")
    ...     _ = left.write_bytes(b"12")
    ...     remove_unfinished(target)
    ...     left.exists()
    False
    """
    target = Path(os.path.realpath(os.fspath(path)))
    folder, mark = (target, "") if target.is_dir() else (target.parent, _mark(target))
    for left in folder.glob(f".{mark}*.tmp"):
        if not re.fullmatch(r"\.[0-9a-f]{16}\.tmp", left.name):
            continue
        with suppress(OSError, ValueError), open_regular(left) as file:
            _lock(file)
            left.unlink()


def _lock(file: BinaryIO) -> None:
    """Hold a file until it is closed; BlockingIOError where another does."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _opened(target: Path) -> tuple[Path, BinaryIO]:
    """A new temporary file beside the target, locked."""
    while True:
        temporary = target.with_name(f".{_mark(target)}{secrets.token_hex(4)}.tmp")
        file = temporary.open("xb")
        try:
            _lock(file)
        except BlockingIOError:  # somebody who removes leftovers was faster
            file.close()
            continue
        except OSError:  # no locks on this file system
            return temporary, file
        if temporary.exists():
            return temporary, file
        file.close()


@contextmanager
def atomic_write(path: str | os.PathLike[str], new: bool = False) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces ``path`` only when the block ends without exception.

    Parameters
    ----------
    path : str or os.PathLike
        The target. Its folder must exist; a file that is there is replaced at once, at the end,
        and through a symbolic link the file that the link points to.
    new : bool
        Replace nothing: FileExistsError where a file is there at the end. Of several writers
        one succeeds, and its file appears with its content.

    Yields
    ------
    file : binary file object
        Opened for writing under a temporary name in the target's folder. Leave it open.

    Raises
    ------
    OSError
        The folder is missing or not writable, or ``path`` is a folder or a device; the error's
        ``filename`` is the target's path, not the temporary one.

    Notes
    -----
    The data is on the disk (fsync) before the rename, else a power failure could leave the new
    name with no content. The new file has the permissions that ``open`` gives (umask), whatever
    those of the old one were. After any exception the temporary file is gone and the target as
    it was; what a writer that was killed has left goes with the next writing of the target.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder, "weights.bin")
    ...     with atomic_write(target) as file:
    ...         count = file.write(b"1234")
    ...     target.read_bytes()
    b'1234'
    """
    name = os.fspath(path)
    target = Path(os.path.realpath(name))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    if target.exists() and not target.is_file():
        # Root could replace /dev/null by an ordinary file, and break the machine.
        raise OSError(errno.EINVAL, "not an ordinary file, it cannot be replaced", name)
    remove_unfinished(target)
    with _naming(name):
        temporary, file = _opened(target)
    try:
        with file:
            yield file
            with _naming(name):
                file.flush()
                os.fsync(file.fileno())
                if fcntl is not None:  # without its lock it would be taken for a leftover
                    _place(temporary, target, new)
        if fcntl is None:  # Windows renames no file that is open
            with _naming(name):
                _place(temporary, target, new)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _place(temporary: Path, target: Path, new: bool) -> None:
    """Give a file its name; a new one, unless another has it."""
    if not new:
        temporary.replace(target)
        return
    try:
        target.hardlink_to(temporary)
    except (FileExistsError, FileNotFoundError):
        raise
    except OSError:  # no links on this file system: the name first, then the content
        target.touch(exist_ok=False)
        temporary.replace(target)
    else:
        temporary.unlink()


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Let an OSError name the file that the user asked for, not the temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, name) from error


@contextmanager
def open_regular(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file of somebody's for reading, if it is one.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    ValueError
        It is a folder, a device, or a pipe, which would wait for ever.
    """
    path = os.fspath(path)  # a number would be an open file of this process, and be closed
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | NONBLOCKING)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError(f"{os.fspath(path)!r} is no regular file; put a file in its place")
        yield file


def read_text(path: str | os.PathLike[str], most: int) -> str:
    """A small text file of somebody's, read as UTF-8.

    Parameters
    ----------
    path : str or os.PathLike
    most : int
        Bytes.

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    ValueError
        It is no regular file, larger than that, or not UTF-8.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise ValueError(f"{os.fspath(path)!r} has {size} bytes, at most {most} are read")
        content = file.read(most + 1)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{os.fspath(path)!r} is no text: its byte {error.start}, {content[error.start]:#04x}, "
            "is not utf-8; save it as UTF-8"
        ) from None


def printable(text: str) -> str:
    """Text of somebody's that a terminal shows as it is: control characters escaped.

    Examples
    --------
    >>> print(printable("cat\\x1b[31m"))
    cat\\x1b[31m
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
