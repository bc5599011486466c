"""What an assignment is: homework.toml and items.py, read and checked.

homework/hw3_mlp/
  README.md        theory and task; one table row per item: | `linear_forward` | title | 8 |
  homework.toml    title; [[items]] with id, title, points, timeout, tolerance, given
  items.py         trusted; for each id a generator function of (student, rng)
  starter/*.py     flat; every stub ends in `raise NotImplementedError`
  given*.py        what the library gives for earlier items, run beside the student's code
  solution/*.py    the same names as in starter/; only in a checkout, as wrong/ and right/
"""

from __future__ import annotations

import ast
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

import nnscratch
from nnscratch.grading.verdicts import TOLERANCE, Comparison
from nnscratch.modules import load_module

ItemFunction = Callable[[Any, np.random.Generator], Iterator[Comparison]]
SECONDS = 5.0
POINTS = 100


class GraderFault(RuntimeError):
    """A fault of the grader or of an assignment: no grade comes of it."""


@dataclass(frozen=True)
class Item:
    """One thing to be done, all or nothing.

    Attributes
    ----------
    id : str
        The function's name in items.py.
    title : str
    points : int
    timeout : float
        Seconds of CPU time for the whole item.
    tolerance : float
        Share of the largest element by which arrays may differ.
    given : tuple of str
        Files of the assignment that lie beside the student's for this item.
    """

    id: str
    title: str
    points: int
    timeout: float = SECONDS
    tolerance: float = TOLERANCE
    given: tuple[str, ...] = ()


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

    def given(self, item: Item) -> dict[str, bytes]:
        """The item's given files by name."""
        return {name: (self.folder / name).read_bytes() for name in item.given}

    @cached_property
    def functions(self) -> dict[str, ItemFunction]:
        """The functions of items.py by the items' ids.

        Raises
        ------
        GraderFault
            The file cannot be run, or lacks one.
        """
        path = self.folder / "items.py"
        try:
            module = load_module(path, f"nnscratch_items_of_{self.name}")
        except Exception as error:
            raise GraderFault(f"{path}: {type(error).__name__}: {error}") from error
        found = {item.id: getattr(module, item.id, None) for item in self.items}
        missing = [name for name, function in found.items() if not callable(function)]
        if missing:
            raise GraderFault(f"{path} has no function {', '.join(missing)}")
        return {name: function for name, function in found.items() if function is not None}

    @cached_property
    def sha256(self) -> str:
        """Of all that a grade depends on: other files, other grades."""
        names = ["homework.toml", "items.py", *(f"starter/{name}" for name in self.starter)]
        names += sorted({name for item in self.items for name in item.given})
        digest = hashlib.sha256()
        for name in names:
            content = (self.folder / name).read_bytes()
            digest.update(f"{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()


def homework_root() -> Path:
    """The folder of the assignments: a checkout's, else the one that came with the package."""
    package = Path(nnscratch.__file__).parent
    for folder in (package.parent / "homework", package / "_homework"):
        if any(folder.glob("*/homework.toml")):
            return folder
    raise FileNotFoundError(
        "this installation has no assignments; install nnscratch from its wheel"
    )


def assignments() -> list[Assignment]:
    """All assignments, by name."""
    return [read(path.parent) for path in sorted(homework_root().glob("*/homework.toml"))]


def find(name: str) -> Assignment:
    """The assignment of that name; the part before the underscore is enough: "hw3".

    Raises
    ------
    ValueError
        There is none, or several.
    """
    folders = sorted(path.parent for path in homework_root().glob("*/homework.toml"))
    found = [f for f in folders if name in (f.name, f.name.partition("_")[0])]
    if len(found) != 1:
        known = ", ".join(folder.name for folder in folders)
        raise ValueError(f"there is no assignment {name!r}; there are {known}")
    return read(found[0])


def read(folder: Path) -> Assignment:
    """Read and check a folder's homework.toml.

    Raises
    ------
    ValueError
        Something in it is missing or cannot be meant.
    """
    path = folder / "homework.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    _only(path, table, {"title": str, "items": list})
    items = [_item(path, entry) for entry in table["items"]]
    ids = [item.id for item in items]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{path}: more than one item {', '.join(twice)}")
    for item in items:
        for name in item.given:
            if Path(name).name != name or not (folder / name).is_file():
                raise ValueError(f"{path}: {item.id} is given {name!r}, which is not there")
    return Assignment(folder.name, folder, table["title"], tuple(items))


OPTIONAL = {"timeout": (int, float), "tolerance": (float,), "given": (list,)}


def _item(path: Path, entry: Any) -> Item:
    if not isinstance(entry, dict):
        raise ValueError(f"{path}: items are tables, written [[items]]")
    name = entry.get("id")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{path}: an item's id is a function's name, received {name!r}")
    _only(path, entry, {"id": str, "title": str, "points": int} | OPTIONAL, OPTIONAL)
    if entry["points"] < 1:
        raise ValueError(f"{path}: {name} has {entry['points']} points, expected at least 1")
    for key in ("timeout", "tolerance"):
        if not entry.get(key, 1) > 0:
            raise ValueError(f"{path}: {key} of {name} is {entry[key]}, expected more than 0")
    return Item(**entry | {"given": tuple(entry.get("given", ()))})


def _only(path: Path, table: dict[str, Any], kinds: dict[str, Any], optional: Any = ()) -> None:
    """Check that a table has these keys of these types and no others."""
    place = f"{path}: {table['id']}" if "id" in table else f"{path}"
    for key in kinds:
        if key not in table and key not in optional:
            raise ValueError(f"{place} has no {key}")
    for key, value in table.items():
        if key not in kinds:
            raise ValueError(f"{place}: unknown key {key!r}; known are {', '.join(kinds)}")
        if not isinstance(value, kinds[key]) or isinstance(value, bool):
            raise ValueError(f"{place}: {key} cannot be {value!r}")
