"""What one student handed in: the declared files from a folder, a file, a zip or a notebook."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from nnscratch.grading.tree import Node, Unreadable, levels, of_path

DEPTH = 5  # folders and zips in each other, where somebody zipped the folder around the files


@dataclass(frozen=True)
class Submission:
    """The files of one student.

    Attributes
    ----------
    student : str
        The name that people read.
    files : dict of str to bytes
        By the names that the assignment declares.
    problem : str
        Why it cannot be graded; "" if it can.
    notes : tuple of str
        What the student should know about how it was taken.
    """

    student: str
    files: dict[str, bytes] = field(default_factory=dict)
    problem: str = ""
    notes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """Of everything that a grade depends on."""
        digest = hashlib.sha256(self.problem.encode("utf-8", "backslashreplace"))
        for name, content in sorted(self.files.items()):
            digest.update(f"\n{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()


def read_submission(path: Path, names: Collection[str], student: str = "") -> Submission:
    """Read what one student handed in, from the disk.

    Parameters
    ----------
    path : Path
        A folder, a .py file, a notebook or a zip.
    names : collection of str
        The files that the assignment declares.
    student : str, optional
        Default by the path's name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (file := Path(folder, "ada.py")).write_text("x = 1")
    ...     read_submission(file, ["layers.py"]).files
    5
    {'layers.py': b'x = 1'}
    """
    try:
        node = of_path(path)
    except OSError as error:
        words = f"it cannot be read: {error.strerror or error}"
        return Submission(student or path.stem, problem=words)
    return submission_of(node, names, student or path.stem)


def submission_of(node: Node, names: Collection[str], student: str) -> Submission:
    """Read what one student handed in, from a tree."""
    try:
        files, notes = _declared(node, names)
    except Unreadable as error:
        return Submission(student, problem=str(error))
    if not files:
        wanted = " or ".join(sorted(names))
        return Submission(student, problem=f"there is no {wanted} in it")
    return Submission(student, files, notes=tuple(notes))


def _declared(node: Node, names: Collection[str]) -> tuple[dict[str, bytes], list[str]]:
    if node.kind not in ("file", "folder"):
        raise Unreadable(f"{node.kind}, expected a folder, a .py file or a zip")
    if node.kind == "file" and not node.name.lower().endswith(".zip"):
        return _single(node, names)
    notebooks = {f"{Path(name).stem}.ipynb": name for name in names}
    for level in levels(node, DEPTH):
        found: dict[str, Node] = {}
        for entry in level:
            name = entry.name if entry.name in names else notebooks.get(entry.name, "")
            if not name or entry.kind == "folder":  # which is looked into, as others are
                continue
            if name in found and found[name].name == entry.name:
                raise Unreadable(f"{name} is there more than once; hand in one")
            if name not in found or entry.name == name:  # a file before a notebook
                found[name] = entry
        if found:
            notes = [f"{n.name} was taken for {k}" for k, n in found.items() if n.name != k]
            return {name: _source(entry) for name, entry in found.items()}, notes
    return _only_one(node, names)


def _only_one(node: Node, names: Collection[str]) -> tuple[dict[str, bytes], list[str]]:
    """The one Python file there is, under another name than the declared one."""
    if len(names) != 1:
        return {}, []
    for level in levels(node, DEPTH):
        sources = [entry for entry in level if _is_source(entry)]
        if len(sources) == 1:
            return _single(sources[0], names)
        if sources:
            break
    return {}, []


def _single(node: Node, names: Collection[str]) -> tuple[dict[str, bytes], list[str]]:
    if not _is_source(node):
        raise Unreadable("expected a folder, a .py file or a zip")
    if len(names) != 1:
        raise Unreadable(f"one file, expected {', '.join(sorted(names))} in a folder or zip")
    [name] = names
    notes = [] if node.name == name else [f"{node.name} was taken for {name}"]
    return {name: _source(node)}, notes


def _is_source(node: Node) -> bool:
    return node.kind == "file" and node.name.lower().endswith((".py", ".ipynb"))


def _source(node: Node) -> bytes:
    content = node.read()
    return of_notebook(content, node.name) if node.name.lower().endswith(".ipynb") else content


def of_notebook(content: bytes, name: str) -> bytes:
    r"""The code cells of a notebook as one file; lines for the notebook alone become comments.

    Raises
    ------
    Unreadable
        It is none.

    Examples
    --------
    >>> cells = [{"cell_type": "code", "source": ["%matplotlib inline\n", "x = 1"]}]
    >>> of_notebook(json.dumps({"cells": cells}).encode(), "a.ipynb")
    b'# %matplotlib inline\nx = 1\n'
    """
    try:
        cells = json.loads(content)["cells"]
        sources = [cell["source"] for cell in cells if cell["cell_type"] == "code"]
        texts = [text if isinstance(text, str) else "".join(text) for text in sources]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreadable(f"{name} is no notebook") from None
    lines = [
        f"# {line}" if re.match(r"\s*[%!]", line) else line
        for text in texts
        for line in text.splitlines()
    ]
    return ("\n".join(lines) + "\n").encode("utf-8", "backslashreplace")


def safe_name(name: str) -> str:
    """A name that is a folder's name everywhere; other names stay other names.

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
    return kept if kept == name else f"{kept}-{short_hash(name)}"


def short_hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
