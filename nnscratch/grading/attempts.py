"""What a file's name tells where a learning system made it, and which attempt of a student counts.

Canvas      doejane_LATE_20001_900001_layers-1.py
Moodle      Eva Klein_123458_assignsubmission_file_/..., or with the file's name behind
Blackboard  Homework 3_jdoe_attempt_2026-09-30-10-12-13_layers.py
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import datetime

from nnscratch.grading.tree import Node, Unreadable, levels

CANVAS = re.compile(r"(?P<name>[^_]+)_(?P<late>LATE_)?(?P<id>\d+)_(?P<try>\d+)_(?P<file>.+)")
MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_(?P<what>[a-z]+)_?(?P<file>.*)")
BLACKBOARD = re.compile(
    r"(?P<task>.+)_(?P<login>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?P<file>_.+|\.txt)"
)
VERSION = re.compile(r"(?P<stem>.+)-(?P<version>\d+)(?P<ending>\.\w+)")


@dataclass(frozen=True)
class HandedIn:
    """One student's place in an export.

    Attributes
    ----------
    name : str
        As people read it.
    node : Node
        The folder, file or zip; of several attempts the newest.
    ids : dict of str to str
        What the system calls the student: "id", "sid", "login", "email".
    time : datetime or None
        When it was handed in, in local time.
    late : bool
        The system says so.
    attempts : int
    key : str
        Of the student's folder in the results; no other has it.
    """

    name: str
    node: Node
    ids: dict[str, str] = field(default_factory=dict)
    time: datetime | None = None
    late: bool = False
    attempts: int = 1
    key: str = ""


@dataclass(frozen=True)
class Piece:
    """A file or folder of one attempt; `who` is the same for all of one student."""

    who: str
    name: str
    node: Node
    ids: dict[str, str]
    order: tuple[int | str, ...]
    time: datetime | None = None
    late: bool = False


def _canvas(node: Node, match: re.Match[str]) -> Piece:
    file, version = match["file"], 0
    if versioned := VERSION.fullmatch(file):
        file, version = versioned["stem"] + versioned["ending"], int(versioned["version"])
    return Piece(
        match["id"],
        match["name"],
        replace(node, name=file),
        {"id": match["id"]},
        (int(match["try"]), version),
        node.time,
        match["late"] is not None,
    )


def _moodle(node: Node, match: re.Match[str]) -> Piece | None:
    if match["what"] != "file" or (node.kind != "folder" and not match["file"]):
        return None
    inner = node if node.kind == "folder" else replace(node, name=match["file"])
    return Piece(match["id"], match["name"], inner, {"id": match["id"]}, (0,), _latest(inner))


def _blackboard(node: Node, match: re.Match[str]) -> Piece | None:
    if match["file"] == ".txt":
        return None
    login = match["login"]
    time = datetime.strptime(match["time"], "%Y-%m-%d-%H-%M-%S")
    inner = replace(node, name=match["file"][1:])
    return Piece(login, login, inner, {"login": login}, (match["time"],), time)


def newest_of(pieces: list[Piece], names: Collection[str]) -> HandedIn:
    """The pieces of one student: of each file the newest, other files of the same attempt too."""
    pieces = sorted(pieces, key=lambda piece: piece.order)
    attempts = list(dict.fromkeys(piece.order for piece in pieces))
    chosen: dict[str, Piece] = {}
    for piece in pieces:
        if piece.node.name in names or piece.order[0] == pieces[-1].order[0]:
            chosen[piece.node.name] = piece
    if zips := [p for p in chosen.values() if p.node.name.lower().endswith(".zip")]:
        newest = zips[-1]
        loose = [p for p in chosen.values() if p.node.name in names and p.order > newest.order]
        chosen = {p.node.name: p for p in [newest, *loose]}
    last = max(chosen.values(), key=lambda piece: piece.order)
    nodes = [piece.node for piece in chosen.values()]
    node = nodes[0] if len(nodes) == 1 else Node(last.name, "folder", entries=lambda: nodes)
    return HandedIn(last.name, node, last.ids, last.time, last.late, len(attempts))


def _latest(node: Node) -> datetime | None:
    try:
        nodes = [node, *(entry for level in levels(node, 3) for entry in level)]
    except Unreadable:
        nodes = [node]
    times = [entry.time for entry in nodes if entry.time is not None]
    return max(times, default=None)


# (system, what its names look like, what they tell); None is nothing that is graded
SYSTEMS: tuple[tuple[str, re.Pattern[str], Callable[..., Piece | None]], ...] = (
    ("Moodle", MOODLE, _moodle),
    ("Blackboard", BLACKBOARD, _blackboard),
    ("Canvas", CANVAS, _canvas),
)


def is_named(node: Node) -> bool:
    """Whether a learning system made the name."""
    return any(pattern.fullmatch(node.name) for _, pattern, _ in SYSTEMS)
