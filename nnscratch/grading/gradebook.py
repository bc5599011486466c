"""The results of a class: grades.csv for Canvas, and what the class got wrong."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Mapping
from typing import Any

COLUMNS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
Results = Mapping[str, Mapping[str, Any] | None]  # by student; None where there is no grade


def grades_csv(assignment: str, results: Results) -> bytes:
    """One row for each student with Canvas's columns; the grade is blank where there is none.

    Examples
    --------
    >>> print(grades_csv("hw1", {"ada": {"score": 90}, "=cmd": None}).decode().replace("\\r", ""))
    Student,ID,SIS User ID,SIS Login ID,Section,hw1
    ada,,,ada,,90
    '=cmd,,,'=cmd,,
    <BLANKLINE>
    """
    rows: list[tuple[Any, ...]] = [(*COLUMNS, assignment)]
    for student, result in results.items():
        score = "" if result is None else result["score"]
        rows.append((student, "", "", student, "", score))
    return _csv(rows)


def diagnoses(results: Results) -> dict[str, Counter[str]]:
    """For each item how often each diagnosis was given; "" is a pass."""
    counts: dict[str, Counter[str]] = {}
    for result in results.values():
        for test in result["tests"] if result is not None else ():
            data = test["extra_data"]
            counts.setdefault(data["id"], Counter())[data["diagnosis"]] += 1
    return counts


def diagnoses_csv(counts: Mapping[str, Counter[str]]) -> bytes:
    """Item, diagnosis, students; the most frequent first."""
    rows: list[tuple[Any, ...]] = [("item", "diagnosis", "students")]
    for item, found in counts.items():
        rows += [(item, code or "pass", count) for code, count in found.most_common()]
    return _csv(rows)


def _csv(rows: list[tuple[Any, ...]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([tuple(map(_neutral, row)) for row in rows])
    return out.getvalue().encode("utf-8", "backslashreplace")


def _neutral(cell: Any) -> Any:
    """Text that a spreadsheet would take for a formula, as text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in tuple("=+-@\t\r") and cell else cell
