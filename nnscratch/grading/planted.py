"""mistakes.toml: planted mistakes as replacements in the solution, under the item that each loses.

    [linear_gradient]
    transposed = ['dy.T @ self.x', 'self.x.T @ dy']              old text, new text; more pairs
    sign = [['dy.T @', '-dy.T @'], ['dy.sum(', '-dy.sum(']]      several mistakes of that diagnosis
    stale_cache = { change = ['...', '...'], also = { linear_backward = "exception" } }
    values_differ = "def f(x): ..."                              whole definitions

    [equal]                                                      mutants that are no mistakes
    "SGD.__init__: 0.1 -> 1.1" = "the rate is always given"

The old text occurs once in the class or function that the item judges. A new text of several lines
takes the indentation of the line that it comes into.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nnscratch.grading.variants import Files, merged

EQUAL = "equal"


@dataclass(frozen=True)
class Planted:
    """A mistake: the files with it, and by item the diagnosis that each must get.

    Attributes
    ----------
    name : str
        The item, the diagnosis and, of several, the number.
    files : dict of str to bytes
    lost : dict of str to str
    """

    name: str
    files: Files
    lost: dict[str, str]


def read_mistakes(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """The mistakes by item and diagnosis, and the mutants that are none, with the reasons.

    Raises
    ------
    ValueError
        The file is no TOML.
    """
    if not path.is_file():
        return {}, {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None
    equal = table.pop(EQUAL, {})
    return table, equal


def planted(
    mistakes: Mapping[str, Mapping[str, Any]],
    solution: Files,
    targets: Mapping[str, list[str]],
    failures: list[str],
) -> Iterator[Planted]:
    """Every mistake, in the solution.

    Parameters
    ----------
    mistakes : mapping
        As `read_mistakes` gives them.
    solution : dict of str to bytes
    targets : mapping of str to list of str
        For each item the classes and functions that it judges.
    failures : list of str
        Is told of an item that is none, and of a text that does not occur once.
    """
    for item, codes in mistakes.items():
        if item not in targets:
            failures.append(f"mistakes.toml: there is no item {item}")
            continue
        for code, entry in codes.items():
            several = _several(entry)
            for number, one in enumerate(several, 1):
                name = f"{item}.{code}" + (f" {number}" if len(several) > 1 else "")
                change, also = (one["change"], one.get("also", {})) if _is_table(one) else (one, {})
                try:
                    files = changed(solution, change, targets[item], name)
                except ValueError as error:
                    failures.append(str(error))
                    continue
                except SyntaxError as error:
                    failures.append(f"mistakes.toml: {name} is no Python then: {error}")
                    continue
                yield Planted(name, files, {item: code, **also})


def _is_table(entry: Any) -> bool:
    return isinstance(entry, dict)


def _several(entry: Any) -> list[Any]:
    """The mistakes of one diagnosis: a list of pairs is one, a list of lists or tables several."""
    if isinstance(entry, list) and entry and not isinstance(entry[0], str):
        return entry
    return [entry]


def changed(solution: Files, change: Any, targets: list[str], name: str) -> Files:
    """The solution with a change: pairs of texts, or whole definitions."""
    if isinstance(change, str):
        return merged(solution, change.encode(), name)
    if len(change) % 2 or not all(isinstance(text, str) for text in change):
        raise ValueError(f"mistakes.toml: {name} is no list of old and new texts: {change!r}")
    files = dict(solution)
    for old, new in zip(change[::2], change[1::2], strict=True):
        file, start, end = _occurrence(files, old, targets, name)
        source = files[file].decode()
        files[file] = (source[:start] + _indented(new, old, source, start) + source[end:]).encode()
    for content in files.values():
        ast.parse(content)
    return files


def _indented(new: str, old: str, source: str, start: int) -> str:
    """The new text with the indentation of the lines that the old one stands in."""
    begin = source.rfind("\n", 0, start) + 1
    lines = [line for line in (source[begin:start] + old).splitlines() if line.strip()]
    indent = min((line[: len(line) - len(line.lstrip())] for line in lines), key=len, default="")
    text = textwrap.indent(textwrap.dedent(new), indent)
    return text if begin == start else text.removeprefix(indent)


def _occurrence(files: Files, old: str, targets: list[str], name: str) -> tuple[str, int, int]:
    found = []
    for file, content in files.items():
        source = content.decode()
        for start, end in _spans(source, targets):
            at = source.find(old, start, end)
            while at >= 0:
                found.append((file, at, at + len(old)))
                at = source.find(old, at + 1, end)
    if len(found) != 1:
        where = " or ".join(targets) or "the solution"
        raise ValueError(f"mistakes.toml: {name}: {old!r} occurs {len(found)} times in {where}")
    return found[0]


def _spans(source: str, targets: list[str]) -> Iterator[tuple[int, int]]:
    """Where the targets stand in the text; everything for none."""
    if not targets:
        yield 0, len(source)
        return
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for node in ast.parse(source).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name in targets:
            yield lines[node.lineno - 1], lines[node.end_lineno or node.lineno]
