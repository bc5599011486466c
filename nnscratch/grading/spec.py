"""What an assignment is: its README's table of items, and items.py.

homework/hw3_mlp/
  README.md        theory and task; the one table: | item | what | points | seconds |
  items.py         trusted; for each id a check, or a tuple of them where points read "3 + 5"
  starter/*.py     flat; every stub is `raise NotImplementedError`; made from the solution
  solution/*.py    the same names; only in a checkout, as right/ and mistakes.toml
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nnscratch
from nnscratch.grading.checks import Check
from nnscratch.modules import load_module

SECONDS = 5.0
POINTS = 100
HEADER = re.compile(r"^\|\s*item\s*\|\s*what\s*\|\s*points\s*\|\s*seconds\s*\|\s*$")
ROW = re.compile(r"^\|\s*`(\w+)`\s*\|\s*([^|]+?)\s*\|\s*([\d +]+?)\s*\|\s*([\d.]+)\s*\|\s*$")
# What no grade depends on, and what no student may see.
WITHHELD = ("solution", "right", "mistakes.toml", "__pycache__")


class GraderFault(RuntimeError):
    """A fault of the grader or of an assignment: no grade comes of it."""


@dataclass(frozen=True)
class Item:
    """One thing to be done, in one part or several; each is all or nothing.

    Attributes
    ----------
    id : str
        Its name in items.py.
    title : str
    parts : tuple of int
        The points of each part.
    seconds : float
        Of CPU time for each part.
    """

    id: str
    title: str
    parts: tuple[int, ...]
    seconds: float = SECONDS

    @property
    def points(self) -> int:
        return sum(self.parts)


@dataclass(frozen=True)
class Assignment:
    """An assignment's folder, its title and items.

    Attributes
    ----------
    name : str
        The folder's name, such as "hw3_mlp".
    folder : Path
    title : str
    items : tuple of Item
    """

    name: str
    folder: Path
    title: str
    items: tuple[Item, ...]

    @property
    def points(self) -> int:
        return sum(item.points for item in self.items)

    def item(self, name: str) -> Item:
        """The item of that id.

        Raises
        ------
        ValueError
            There is none.
        """
        for item in self.items:
            if item.id == name:
                return item
        known = ", ".join(item.id for item in self.items)
        raise ValueError(f"{self.name} has no item {name!r}; it has {known}")

    @cached_property
    def starter(self) -> dict[str, bytes]:
        """The files that students get and hand in, by name."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob("starter/*.py"))}

    @cached_property
    def modules(self) -> dict[str, str]:
        """Which file defines a function or class: its name to the module's."""
        return {
            node.name: Path(file).stem
            for file, source in self.starter.items()
            for node in ast.parse(source).body
            if isinstance(node, (ast.ClassDef, ast.FunctionDef))
        }

    @cached_property
    def arguments(self) -> dict[str, tuple[str, ...]]:
        """What each class's forward receives, by the names that students read."""
        return {
            node.name: tuple(argument.arg for argument in method.args.args[1:])
            for source in self.starter.values()
            for node in ast.parse(source).body
            if isinstance(node, ast.ClassDef)
            for method in node.body
            if isinstance(method, ast.FunctionDef) and method.name == "forward"
        }

    @cached_property
    def checks(self) -> dict[str, tuple[Check, ...]]:
        """What items.py has for each item: a check for every part.

        Raises
        ------
        GraderFault
            The file cannot be run, lacks an item, or has other parts than the table.
        """
        path = self.folder / "items.py"
        try:
            module = load_module(path, f"nnscratch_items_of_{self.name}")
        except Exception as error:
            raise GraderFault(f"{path}: {type(error).__name__}: {error}") from error
        found: dict[str, tuple[Check, ...]] = {}
        for item in self.items:
            named = getattr(module, item.id, ())
            parts = named if isinstance(named, tuple) else (named,)
            if not parts or not all(isinstance(part, Check) for part in parts):
                raise GraderFault(f"{path} has no check {item.id}")
            if len(parts) != len(item.parts):
                raise GraderFault(
                    f"{path}: {item.id} has {len(parts)} checks, README.md {len(item.parts)} points"
                )
            found[item.id] = parts
        return found

    @cached_property
    def sha256(self) -> str:
        """Of all that a grade depends on: other files, other grades."""
        digest = hashlib.sha256(repr((self.title, self.items)).encode())
        for path in sorted(self.folder.rglob("*")):
            inner = path.relative_to(self.folder)
            if path.is_file() and not set(WITHHELD) & set(inner.parts) and path.suffix != ".md":
                content = path.read_bytes()
                digest.update(f"{inner.as_posix()} {len(content)}\n".encode() + content)
        return digest.hexdigest()


def homework_roots() -> list[Path]:
    """The folders of assignments: one's own, then those of a checkout or of the installed package.

    One's own are named by the variable NNSCRATCH_HOMEWORK, separated as in PATH.

    Raises
    ------
    FileNotFoundError
        There are none.
    """
    package = Path(nnscratch.__file__).parent
    named = os.environ.get("NNSCRATCH_HOMEWORK", "").split(os.pathsep)
    own = [Path(name) for name in named if name]
    for folder in own:
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder of assignments {folder}")
    installed = [
        folder
        for folder in (package.parent / "homework", package / "_homework")
        if any(folder.glob("*/items.py"))
    ][:1]
    if not own and not installed:
        raise FileNotFoundError(
            "this installation has no assignments; install nnscratch from its wheel"
        )
    return own + installed


def _folders() -> list[Path]:
    """All assignments' folders; of equal names the first counts."""
    found: dict[str, Path] = {}
    for root in homework_roots():
        # An assignment's own folder will do as well as the folder around it.
        for path in sorted([*root.glob("*/items.py"), *root.glob("items.py")]):
            found.setdefault(path.parent.resolve().name, path.parent)
    return [found[name] for name in sorted(found)]


def assignments() -> list[Assignment]:
    """All assignments, by name."""
    return [read(folder) for folder in _folders()]


def find(name: str) -> Assignment:
    """The assignment of that name; the part before the underscore is enough: "hw3".

    Raises
    ------
    ValueError
        There is none, or several.
    """
    folders = {folder.resolve().name: folder for folder in _folders()}
    found = [f for known, f in folders.items() if name in (known, known.partition("_")[0])]
    if len(found) != 1:
        raise ValueError(f"there is no assignment {name!r}; there are {', '.join(folders)}")
    return read(found[0])


def read(folder: Path) -> Assignment:
    """Read the title and the table of items in a folder's README.md, and check them.

    Raises
    ------
    ValueError
        Something in it is missing or cannot be meant.
    """
    path = folder / "README.md"
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    title = next((line[2:].strip() for line in lines if line.startswith("# ")), "")
    if not title:
        raise ValueError(f"{path} has no title, a first line such as: # Operators")
    tables = [number for number, line in enumerate(lines) if HEADER.match(line)]
    if len(tables) != 1:
        raise ValueError(
            f"{path} has {len(tables)} tables of items, expected one: "
            "| item | what | points | seconds |"
        )
    items = []
    for line in lines[tables[0] + 2 :]:
        if not line.startswith("|"):
            break
        items.append(_item(path, line))
    ids = [item.id for item in items]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{path}: more than one item {', '.join(twice)}")
    return Assignment(folder.resolve().name, folder, title, tuple(items))


def _item(path: Path, line: str) -> Item:
    row = ROW.match(line)
    if row is None or not row[1].isidentifier() or not row[1].islower():
        raise ValueError(
            f"{path}: expected a row such as | `linear_forward` | y of Linear | 8 | 5 |, "
            f"received {line}"
        )
    parts = tuple(int(word) if word.strip().isdigit() else 0 for word in row[3].split("+"))
    seconds = float(row[4]) if row[4].replace(".", "", 1).isdigit() else 0.0
    if min(parts) < 1 or seconds <= 0:
        raise ValueError(f"{path}: points and seconds of {row[1]} must be more than 0: {line}")
    return Item(row[1], row[2], parts, seconds)
