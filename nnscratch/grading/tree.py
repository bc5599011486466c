"""Folders and zips of strangers as one kind of tree: nothing is followed, nothing is unpacked.

A node is a folder, a file, or something else (a link, a pipe). A zip is a folder too. Whatever an
archive holds, reading it ends in bytes or in `Unreadable`.
"""

from __future__ import annotations

import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

MOST = 1_000_000  # bytes of a file
MOST_OF_ZIP = 20_000_000  # bytes of a zip that one student hands in
ZIPS = 2  # zips in each other that are opened, and zips beside each other
MEMBERS = 1000  # entries of a folder or zip that one student hands in
IGNORED = ("__macosx", "__pycache__")


class Unreadable(ValueError):
    """What was handed in cannot be taken: why, in words for the student."""


Entries = dict[str, "Node | Entries"]  # of a folder, by name


@dataclass
class Node:
    """A file or folder in a tree.

    Attributes
    ----------
    name : str
    kind : str
        "file", "folder", or what else it is, in words.
    load : function of a number of bytes
        Gives the content of a file, no more than that many bytes and one.
    entries : function without arguments
        Gives the nodes in a folder.
    time : datetime or None
        Of a file in an archive; dates on a disk are those of a copy.
    zips : int
        In how many zips it lies.
    """

    name: str
    kind: str
    load: Callable[[int], bytes] = field(default=lambda most: b"", repr=False)
    entries: Callable[[], list[Node]] = field(default=list, repr=False)
    time: datetime | None = None
    zips: int = 0

    def read(self, most: int = MOST) -> bytes:
        """The content of a file.

        Raises
        ------
        Unreadable
            It is none, or larger.
        """
        if self.kind != "file":
            raise Unreadable(f"{self.name} is {self.kind}, expected a regular file")
        try:
            content = self.load(most)
        except OSError as error:
            raise Unreadable(f"{self.name} cannot be read: {error.strerror or error}") from None
        if len(content) > most:
            raise Unreadable(f"{self.name} is larger than {most} bytes")
        return content

    def children(self) -> list[Node]:
        """What lies in a folder or a zip, by name; nothing in a file.

        Raises
        ------
        Unreadable
            The folder or zip cannot be read.
        """
        if self.kind == "folder":
            try:
                found = self.entries()
            except OSError as error:
                raise Unreadable(f"{self.name} cannot be read: {error.strerror}") from None
            return sorted(found, key=lambda node: node.name)
        if self.is_zip:
            inside = io.BytesIO(self.read(MOST_OF_ZIP))
            return of_zip(inside, self.name, MEMBERS, self.zips + 1).children()
        return []

    @property
    def is_zip(self) -> bool:
        """Whether it is opened like a folder: a zip, not in a zip of a zip."""
        return self.kind == "file" and self.name.lower().endswith(".zip") and self.zips < ZIPS


def of_path(path: Path) -> Node:
    """The tree at a place on the disk."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        return Node(path.name, "folder", entries=lambda: [of_path(p) for p in path.iterdir()])
    if stat.S_ISREG(mode):
        return Node(path.name, "file", load=lambda most: _read_file(path, most))
    return Node(path.name, _name_of_kind(mode))


def _read_file(path: Path, most: int) -> bytes:
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable(f"{path.name} is no regular file")
        return file.read(most + 1)


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


def of_zip(source: Path | io.BytesIO, name: str, most: int, zips: int = 1) -> Node:
    """The tree in a zip of at most so many entries.

    Raises
    ------
    Unreadable
        It is no zip, damaged, encrypted, too large, or names paths that lead out of it.
    """
    with _Told(name):
        archive = zipfile.ZipFile(source)
        infos = archive.infolist()
    if len(infos) > most:
        raise Unreadable(f"{name} holds more than {most} files")
    root: Entries = {}
    for info in infos:
        parts = PurePosixPath(info.filename).parts
        if info.filename.startswith("/") or ".." in parts or "\\" in info.filename:
            raise Unreadable(f"{name} has a path that leads out of it: {info.filename}")
        if not parts or len(parts) > 20:
            continue
        folder = root
        for part in parts[:-1]:
            inner = folder.setdefault(part, {})
            if not isinstance(inner, dict):
                raise Unreadable(f"{name} has {part} as a file and as a folder")
            folder = inner
        if info.is_dir():
            folder.setdefault(parts[-1], {})
        elif parts[-1] in folder:
            raise Unreadable(f"{name} holds {parts[-1]} more than once; hand in one")
        else:
            folder[parts[-1]] = _member(archive, info, parts[-1], zips)
    return _folder(name, root)


def _folder(name: str, entries: Entries) -> Node:
    nodes = [n if isinstance(n, Node) else _folder(key, n) for key, n in entries.items()]
    return Node(name, "folder", entries=lambda: nodes)


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str, zips: int) -> Node:
    mode = info.external_attr >> 16
    special = mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)

    def load(most: int) -> bytes:
        if info.file_size > most:
            raise Unreadable(f"{name} is larger than {most} bytes")
        with _Told(name), archive.open(info) as file:
            return file.read(most + 1)  # its header may lie about the size

    time = None
    with suppress(ValueError):  # month 0, as some writers have it
        time = datetime(*info.date_time)
    kind = _name_of_kind(mode) if special else "file"
    return Node(name, kind, load=load, time=time, zips=zips)


class _Told:
    """Whatever an archive makes its reader raise is the archive's fault."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, Unreadable):
            words = " ".join(str(error).split()) or type(error).__name__
            raise Unreadable(f"{self.name} cannot be read: {words}") from None


def is_junk(node: Node) -> bool:
    """Whether no student meant to hand this in."""
    name = node.name.lower()
    if node.kind == "folder":
        return name in IGNORED
    return name.startswith(".") or name in ("thumbs.db", "desktop.ini", "index.html")


def levels(node: Node, depth: int) -> Iterator[list[Node]]:
    """The nodes beneath one, level by level, zips opened like folders; no junk."""
    level = [node]
    for _ in range(depth):
        zips = [outer for outer in level if outer.is_zip][:ZIPS]
        opened = [outer for outer in level if outer.kind == "folder" or outer in zips]
        inside = [child for outer in opened for child in outer.children()[:MEMBERS]]
        level = [child for child in inside if not is_junk(child)][:MEMBERS]
        if not level:
            return
        yield level
