"""The rows of a class: a roster as Canvas exports its gradebook, and who of it handed in what."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnscratch.grading.attempts import HandedIn

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
# What a learning system calls a student, and where the roster has it.
WHERE = {"id": "ID", "sid": "SIS User ID", "login": "SIS Login ID", "email": "SIS Login ID"}


@dataclass(frozen=True)
class Roster:
    """The students of a gradebook.

    Attributes
    ----------
    rows : tuple of dict of str to str
        Each with Canvas's columns.
    column : str
        Of the assignment: the gradebook's own name for it, which an import needs.
    """

    rows: tuple[dict[str, str], ...]
    column: str


def read_roster(path: Path, assignment: str, title: str) -> Roster:
    """Read a gradebook.

    Raises
    ------
    ValueError
        It has no column Student.
    OSError
        It cannot be read.
    """
    text = path.read_bytes().decode("utf-8-sig", "replace")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    header = [name for name in reader.fieldnames or () if name]
    if "Student" not in header:
        raise ValueError(f"{path} has no column Student; export the gradebook as CSV")
    rows = []
    for row in reader:
        if (row.get("Student") or "").strip() in ("", "Points Possible", "Student, Test"):
            continue
        rows.append({column: row.get(column) or "" for column in COLUMNS})
    columns = [name for name in header if name not in COLUMNS]
    names = {assignment.casefold(), assignment.partition("_")[0].casefold(), title.casefold()}
    for column in columns:
        if re.sub(r"\s*\(\d+\)$", "", column).strip().casefold() in names:
            return Roster(tuple(rows), column)
    return Roster(tuple(rows), assignment)


def rows_without_roster(students: Sequence[HandedIn]) -> list[dict[str, str]]:
    """A row for each student, as far as the export knows them."""
    rows = []
    for student in students:
        row = dict.fromkeys(COLUMNS, "") | {"Student": student.name}
        for key, value in student.ids.items():
            row[WHERE[key]] = row[WHERE[key]] or value if key in WHERE else ""
        row.setdefault("SIS Login ID", "")
        rows.append(row)
    return rows


def matched(roster: Roster, students: Sequence[HandedIn]) -> tuple[dict[int, str], list[HandedIn]]:
    """By the number of a roster's row the student's key, and who is in no row.

    By what the system calls them; else by the name, if one row and one student have it.
    """
    found: dict[int, str] = {}
    without: list[HandedIn] = []
    for student in students:
        rows = [i for i, row in enumerate(roster.rows) if _same_id(row, student)]
        if not rows:
            rows = [i for i, row in enumerate(roster.rows) if _same_name(row, student)]
        free = [i for i in rows if i not in found]
        if len(free) == 1:
            found[free[0]] = student.key
        else:
            without.append(student)
    return found, without


def _same_id(row: dict[str, str], student: HandedIn) -> bool:
    for key, value in student.ids.items():
        column = WHERE.get(key)
        if column and value and row[column].strip().casefold() == value.strip().casefold():
            return True
    email = student.ids.get("email", "")
    login = row["SIS Login ID"].strip().casefold()
    return bool(login) and email.partition("@")[0].casefold() == login


def _same_name(row: dict[str, str], student: HandedIn) -> bool:
    last, comma, first = row["Student"].partition(",")
    name = f"{first.strip()} {last.strip()}" if comma else row["Student"]
    theirs = _letters(student.name)
    # Canvas writes a student's file as lastnamefirstname
    ways = {_letters(name), _letters(f"{last}{first}"), row["SIS Login ID"].strip().casefold()}
    return bool(theirs) and theirs in ways - {""}


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in plain if c.isalnum())
