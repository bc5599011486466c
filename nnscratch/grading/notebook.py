"""A starter as a notebook: the handout's sections, and the starter's definitions to fill in."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

__all__ = ["notebook_of"]

CHECK = "!nnscratch homework check"


def notebook_of(handout: str, source: str) -> bytes:
    r"""A notebook of a handout and a starter.

    Each section of the handout is a cell; behind the one with the table of items stand the
    starter's definitions, one a cell, and a cell that checks them. Its code cells together are the
    starter again, which is what a check takes of a notebook.

    Parameters
    ----------
    handout : str
        Markdown.
    source : str
        The starter's Python.

    Examples
    --------
    >>> handout = "# T\n\n## Task\n\n| item | what |\n\n## More\n"
    >>> made = notebook_of(handout, "x = 1\n\ndef f():\n    pass\n")
    >>> for cell in json.loads(made)["cells"]:
    ...     print(cell["cell_type"], "".join(cell["source"]).splitlines()[0])
    markdown # T
    markdown ## Task
    code x = 1
    code def f():
    code !nnscratch homework check
    markdown ## More
    """
    cells: list[tuple[str, str]] = []
    waiting = [("code", text) for text in (*_definitions(source), CHECK)]
    for section in _sections(handout):
        cells.append(("markdown", _shown(section)))
        if re.search(r"^\| *item *\|", section, re.M):
            cells += waiting
            waiting = []
    cells += waiting
    written = {
        "cells": [_cell(number, kind, text) for number, (kind, text) in enumerate(cells)],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return (json.dumps(written, ensure_ascii=False, indent=1) + "\n").encode()


def _cell(number: int, kind: str, text: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "id": f"cell-{number}", "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": text.splitlines(keepends=True)}


def _sections(handout: str) -> list[str]:
    """The text in front of the first heading of the second order, and what follows each."""
    parts = re.split(r"^(?=## )", handout, flags=re.M)
    return [part.strip() for part in parts if part.strip()]


def _shown(section: str) -> str:
    """Formulas of their own as notebooks take them."""
    return re.sub(r"^```math\n(.*?)^```$", r"$$\n\1$$", section, flags=re.M | re.S)


def _definitions(source: str) -> Iterator[str]:
    """The source cut in front of each definition; comments stay with what follows them."""
    lines = source.splitlines(keepends=True)
    starts = []
    for node in ast.parse(source).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            while first > 0 and lines[first - 1].startswith("#"):
                first -= 1
            starts.append(first)
    for begin, end in zip([0, *starts], [*starts, len(lines)], strict=True):
        if text := "".join(lines[begin:end]).strip("\n"):
            yield text
