"""What was handed in: folders, single files and zips, read without trusting any of it.

Only the names that the assignment declares are taken, from regular files of at most 1 MB that
are opened without following links. Nothing is ever unpacked to the disk.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

MOST = 1_000_000  # bytes of a file
MEMBERS = 1000  # of a zip
DEPTH = 3  # folders in folders, where somebody zipped the folder around the files
IGNORED = ("__MACOSX", "__pycache__")


@dataclass(frozen=True)
class Submission:
    """The files of one student.

    Attributes
    ----------
    student : str
        The folder's name or the file's stem, made safe for a file's name.
    files : dict of str to bytes
        By the names that the assignment declares.
    problem : str
        Why it cannot be graded; "" if it can.
    """

    student: str
    files: dict[str, bytes] = field(default_factory=dict)
    problem: str = ""

    @property
    def sha256(self) -> str:
        """Of everything that a grade depends on."""
        digest = hashlib.sha256(self.problem.encode("utf-8", "backslashreplace"))
        for name, content in sorted(self.files.items()):
            digest.update(f"\n{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()


class Unreadable(ValueError):
    """What was handed in cannot be taken: why, in words for the student."""


def read_submission(path: Path, names: Collection[str], student: str = "") -> Submission:
    """Read what one student handed in.

    Parameters
    ----------
    path : Path
        A folder, a .py file or a zip.
    names : collection of str
        The files that the assignment declares.
    student : str, optional
        Default by the path's name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (file := Path(folder, "ada.py")).write_text("x = 1")
    ...     read_submission(file, ["layers.py"])
    5
    Submission(student='ada', files={'layers.py': b'x = 1'}, problem='')
    """
    student = student or safe_name(_stem(path))
    try:
        files = _read(path, names)
    except Unreadable as error:
        return Submission(student, problem=str(error))
    except OSError as error:
        return Submission(student, problem=f"it cannot be read: {error.strerror or error}")
    if not files:
        wanted = " or ".join(sorted(names))
        return Submission(student, problem=f"there is no {wanted} in it")
    return Submission(student, files)


def submissions(folder: Path) -> dict[str, Path]:
    """Everything in a folder of submissions, by safe and different names of students.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    paths = [
        path
        for path in sorted(folder.iterdir())
        if not path.name.startswith(".") and path.name not in IGNORED
    ]
    names = [safe_name(_stem(path)) for path in paths]
    folded = [name.casefold() for name in names]
    return {
        name if folded.count(name.casefold()) == 1 else f"{name}-{_short_hash(path.name)}": path
        for name, path in zip(names, paths, strict=True)
    }


def safe_name(name: str) -> str:
    """A name that is a file's name everywhere; other names stay other names.

    Examples
    --------
    >>> safe_name("Ada_Lovelace-1"), safe_name("..")
    ('Ada_Lovelace-1', '_-5ec1f7e7')
    """
    kept = "".join(
        c if c in "-_.@+" or unicodedata.category(c)[0] in "LN" else "_"
        for c in unicodedata.normalize("NFC", name)
    )
    kept = re.sub(r"^[^\w]+", "", kept).rstrip(".")[:60] or "_"
    while len(kept.encode()) > 120:
        kept = kept[:-1]
    return kept if kept == name else f"{kept}-{_short_hash(name)}"


def _short_hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]


def _stem(path: Path) -> str:
    if path.suffix.lower() in (".py", ".zip") and not (path.is_dir() and not path.is_symlink()):
        return path.stem
    return path.name


def _read(path: Path, names: Collection[str]) -> dict[str, bytes]:
    kind = path.lstat().st_mode
    if stat.S_ISDIR(kind):
        return _from_folder(path, names)
    if not stat.S_ISREG(kind):
        raise Unreadable(f"{_name_of_kind(kind)}, expected a folder, a .py file or a zip")
    if path.suffix.lower() == ".py":
        if len(names) != 1:
            raise Unreadable(f"one file, expected {', '.join(sorted(names))} in a folder or zip")
        return {next(iter(names)): _regular_file(path)}
    if path.suffix.lower() == ".zip":
        return _from_zip(path, names)
    raise Unreadable("expected a folder, a .py file or a zip")


def _from_folder(folder: Path, names: Collection[str]) -> dict[str, bytes]:
    """The declared files from the outermost folder that has one of them."""
    for level in _levels(folder):
        found = [
            f
            for f in level
            if any((f / name).is_symlink() or (f / name).exists() for name in names)
        ]
        if len(found) > 1:
            raise Unreadable(f"{' or '.join(sorted(names))} is there more than once; hand in one")
        if found:
            there = [n for n in names if (found[0] / n).is_symlink() or (found[0] / n).exists()]
            return {name: _regular_file(found[0] / name) for name in there}
    return {}


def _levels(folder: Path) -> Iterator[list[Path]]:
    level = [folder]
    for _ in range(DEPTH + 1):
        yield level
        level = [
            Path(entry.path)
            for outer in level
            for entry in sorted(os.scandir(outer), key=lambda e: e.name)
            if entry.is_dir(follow_symlinks=False)
            and entry.name not in IGNORED
            and not entry.name.startswith(".")
        ][:MEMBERS]


def _regular_file(path: Path) -> bytes:
    """The content, if it is a regular file of no more than MOST bytes."""
    if path.is_symlink():
        raise Unreadable(f"{path.name} is a symbolic link, expected a regular file")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        kind = os.fstat(file.fileno())
        if not stat.S_ISREG(kind.st_mode):
            raise Unreadable(f"{path.name} is {_name_of_kind(kind.st_mode)}, expected a file")
        content = file.read(MOST + 1)
    if len(content) > MOST:
        raise Unreadable(f"{path.name} is larger than {MOST} bytes")
    return content


def _name_of_kind(mode: int) -> str:
    for test, name in (
        (stat.S_ISLNK, "a symbolic link"),
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
    ):
        if test(mode):
            return name
    return "a device"


def _from_zip(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """The declared files of a zip, read in memory: no member's path is ever used on the disk."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file, zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS:
                raise Unreadable(f"the zip holds more than {MEMBERS} files")
            chosen = _outermost([m for m in members if _is_declared(m, names)])
            return {PurePosixPath(m.filename).name: _member(archive, m) for m in chosen}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise Unreadable(f"the zip cannot be read: {error}") from None


def _is_declared(member: zipfile.ZipInfo, names: Collection[str]) -> bool:
    parts = PurePosixPath(member.filename).parts
    return bool(parts) and not member.is_dir() and parts[-1] in names and parts[0] not in IGNORED


def _outermost(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    if not members:
        return []
    paths = [PurePosixPath(m.filename) for m in members]
    for path in paths:
        if path.is_absolute() or ".." in path.parts or "\\" in str(path):
            raise Unreadable(f"the zip has a path that leads out of it: {path}")
    depth = min(len(path.parts) for path in paths)
    if depth > DEPTH + 1:
        raise Unreadable("the files lie too deep in folders")
    chosen = [m for m, p in zip(members, paths, strict=True) if len(p.parts) == depth]
    if len({p.parent for p in paths if len(p.parts) == depth}) > 1 or len(chosen) > len(
        {m.filename for m in chosen}
    ):
        raise Unreadable("the same file is there more than once; hand in one")
    return chosen


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    name = PurePosixPath(member.filename).name
    mode = member.external_attr >> 16
    if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise Unreadable(f"{name} is {_name_of_kind(mode)}, expected a file")
    if member.file_size > MOST:
        raise Unreadable(f"{name} is larger than {MOST} bytes")
    with archive.open(member) as file:
        content = file.read(MOST + 1)  # its header may lie about the size
    if len(content) > MOST:
        raise Unreadable(f"{name} is larger than {MOST} bytes")
    return content
