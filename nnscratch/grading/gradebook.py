"""The results of a class: grades.csv for Canvas, a column per item, and what went wrong."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from nnscratch.grading.roster import COLUMNS
from nnscratch.grading.sandbox.protocol import escape

Results = Mapping[str, Mapping[str, Any] | None]  # by student; None where there is no grade
Rows = Sequence[tuple[Mapping[str, str], str]]  # Canvas's columns, and the student's key or ""


def grades_csv(column: str, rows: Rows, results: Results) -> bytes:
    """One row for each student with Canvas's columns; blank where there is no grade.

    Examples
    --------
    >>> row = dict.fromkeys(COLUMNS, "") | {"Student": "=cmd"}
    >>> print(grades_csv("hw1", [(row, "a")], {"a": {"score": 90}}).decode().replace("\\r", ""))
    Student,ID,SIS User ID,SIS Login ID,Section,hw1
    '=cmd,,,,,90
    <BLANKLINE>
    """
    table: list[tuple[Any, ...]] = [(*COLUMNS, column)]
    for row, key in rows:
        result = results.get(key)
        score = "" if result is None else number(result["score"])
        table.append((*(row.get(name, "") for name in COLUMNS), score))
    return _csv(table)


def items_csv(items: Sequence[str], rows: Rows, results: Results) -> bytes:
    """One row for each student, one column for each item's points."""
    table: list[tuple[Any, ...]] = [("Student", "ID", *items, "score")]
    for row, key in rows:
        result = results.get(key)
        points = {} if result is None else {t["extra_data"]["id"]: t for t in result["tests"]}
        cells = [number(points[item]["score"]) if item in points else "" for item in items]
        score = "" if result is None else number(result["score"])
        table.append((row.get("Student", ""), row.get("ID", ""), *cells, score))
    return _csv(table)


def number(score: float) -> float:
    """A score without a needless .0."""
    return int(score) if score == int(score) else score


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
    """Text that a spreadsheet would take for a formula, or a terminal for a command, as text."""
    if not isinstance(cell, str):
        return cell
    quoted = f"'{cell}" if cell[:1] in tuple("=+-@\t\r") and cell else cell
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda m: escape(m[0]), quoted)
