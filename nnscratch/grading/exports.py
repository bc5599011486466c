"""A class's submissions as the learning systems export them, or as plain folders, files and zips.

Canvas, Moodle and Blackboard make one folder of files, told apart by their names (`attempts`);
Gradescope makes folders such as submission_123/ beside a submission_metadata.yml.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nnscratch.grading.attempts import SYSTEMS, HandedIn, Piece, is_named, newest_of
from nnscratch.grading.gradescope_export import submitters
from nnscratch.grading.submission import safe_name, short_hash
from nnscratch.grading.tree import Node, Unreadable, is_junk, levels, of_path, of_zip

LARGEST = 100_000  # entries of an export


@dataclass
class Export:
    """What was found.

    Attributes
    ----------
    system : str
    students : list of HandedIn
    junk : list of str
        Names of what nobody can have meant as a submission, and why.
    """

    system: str
    students: list[HandedIn] = field(default_factory=list)
    junk: list[str] = field(default_factory=list)


def read_exports(paths: Sequence[Path], names: Collection[str]) -> Export:
    """Read several exports as one class; errors as in `read_export`."""
    found = [read_export(path, names) for path in paths]
    return Export(
        " and ".join(dict.fromkeys(export.system for export in found)),
        _with_keys([student for export in found for student in export.students]),
        [words for export in found for words in export.junk],
    )


def read_export(path: Path, names: Collection[str]) -> Export:
    """Read a folder or zip of submissions.

    Parameters
    ----------
    path : Path
    names : collection of str
        The files that the assignment declares.

    Raises
    ------
    ValueError
        The path is no folder of submissions, but perhaps another is.
    OSError
        It cannot be read.
    """
    root = of_path(path)
    if root.kind == "file":
        root = of_zip(path, path.name, LARGEST)
        while len(inner := _telling(root)) == 1 and inner[0].kind == "folder":
            if _holds(inner[0], names) or not inner[0].children():
                break
            root = inner[0]  # the zip of a folder of submissions
    elif root.kind != "folder":
        raise ValueError(f"{path} is {root.kind}, expected a folder or zip of submissions")
    entries = root.children()
    _question(path, entries, names)
    found = Export("")
    metadata = [node for node in entries if node.name == "submission_metadata.yml"]
    if metadata:
        found.system = "Gradescope"
        _gradescope(found, entries, metadata[0])
    else:
        _flat(found, entries, names)
    found.students = _with_keys(found.students)
    return found


def _telling(root: Node) -> list[Node]:
    return [node for node in root.children() if not is_junk(node)]


def _holds(node: Node, names: Collection[str]) -> bool:
    """Whether a declared file lies right in it."""
    return any(child.name in names for child in node.children())


def _question(path: Path, entries: list[Node], names: Collection[str]) -> None:
    """A path one level too deep or too high is no class."""
    if any(entry.name in names for entry in entries):
        raise ValueError(
            f"{path} holds {', '.join(sorted(names))} itself, so it is one submission; "
            f"did you mean {path.parent}?"
        )
    inner = [entry for entry in entries if not is_junk(entry)]
    if len(inner) != 1 or inner[0].kind != "folder" or _holds(inner[0], names):
        return
    deeper = [child for child in inner[0].children() if child.kind == "folder" or is_named(child)]
    if len(deeper) > 1:
        raise ValueError(
            f"{path} holds nothing but the folder {inner[0].name}; did you mean "
            f"{path / inner[0].name}?"
        )


def _flat(found: Export, entries: list[Node], names: Collection[str]) -> None:
    """Canvas, Moodle, Blackboard by the names of the entries; else one entry for each student."""
    for system, pattern, understand in SYSTEMS:
        matches = [(node, pattern.fullmatch(node.name)) for node in entries]
        if sum(match is not None for _, match in matches) * 2 > len(_useful(entries)):
            found.system = system
            groups: dict[str, list[Piece]] = {}
            for node, match in matches:
                if match is None:
                    found.junk.append(f"{node.name}: no submission by its name")
                elif (piece := understand(node, match)) is not None:
                    groups.setdefault(piece.who, []).append(piece)
                elif not node.name.endswith(".txt"):  # the system's own words about an attempt
                    found.junk.append(f"{node.name}: nothing that is graded")
            found.students = [newest_of(pieces, names) for pieces in groups.values()]
            return
    found.system = "plain"
    for node in entries:
        if _is_submission(node, names):
            found.students.append(HandedIn(_stem(node), node))
        else:
            found.junk.append(f"{node.name}: no folder, .py file, notebook or zip")


def _useful(entries: list[Node]) -> list[Node]:
    return [n for n in entries if not is_junk(n) and not n.name.lower().endswith(".csv")]


def _is_submission(node: Node, names: Collection[str]) -> bool:
    hidden = node.name.startswith(".") or is_junk(node)
    if node.kind == "folder":
        return not is_junk(node) and (not hidden or _deep(node, names))
    ending = Path(node.name).suffix.lower()
    return not hidden and (node.kind != "file" or ending in (".py", ".zip", ".ipynb"))


def _deep(node: Node, names: Collection[str]) -> bool:
    try:
        return any(entry.name in names for level in levels(node, 3) for entry in level)
    except Unreadable:
        return False


def _stem(node: Node) -> str:
    ending = Path(node.name).suffix.lower()
    return Path(node.name).stem if node.kind == "file" and ending else node.name


def _gradescope(found: Export, entries: list[Node], metadata: Node) -> None:
    known = submitters(metadata.read(20_000_000).decode(errors="replace"))
    newest: dict[str, HandedIn] = {}
    for node in entries:
        if node is metadata:
            continue
        people, time = known.get(node.name, ([], None))
        if not people:
            found.junk.append(f"{node.name}: submission_metadata.yml does not know it")
        for person in people:
            name = person.get("name") or person.get("email") or node.name
            who = person.get("email") or person.get("sid") or name
            one = HandedIn(name, node, person, time)
            before = newest.get(who)
            if before is not None:
                times = [t.time or datetime.min for t in (before, one)]
                kept = one if times[1] >= times[0] else before
                one = replace(kept, attempts=before.attempts + 1)
            newest[who] = one
    found.students = list(newest.values())


def _with_keys(students: list[HandedIn]) -> list[HandedIn]:
    """The students, each with a folder's name of its own, whatever their names are."""
    students = sorted(students, key=lambda s: (s.name, sorted(s.ids.items()), s.node.name))
    wanted = [safe_name("_".join([s.name, *s.ids.values()][:2])) for s in students]
    taken: set[str] = set()
    keyed = []
    for student, key in zip(students, wanted, strict=True):
        if [other.casefold() for other in wanted].count(key.casefold()) > 1:
            key = f"{key}-{short_hash(student.node.name)}"
        number, unique = 1, key
        while unique.casefold() in taken:
            number += 1
            unique = f"{key}-{number}"
        taken.add(unique.casefold())
        keyed.append(replace(student, key=unique))
    return keyed
