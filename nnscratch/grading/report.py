"""A result in words: on a terminal and in Gradescope's results.json.

Everything that came from a student is escaped here: control characters on the way to a terminal
or a file. As a page: see page.py.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from nnscratch.gradient_check.report import BOLD, GREEN, PLAIN, RED, YELLOW
from nnscratch.grading.grade import ItemResult, Result
from nnscratch.grading.sandbox.protocol import escape

PRINTED = 12  # lines of what the student's code printed that are shown

SHADES = {"pass": GREEN, "fail": RED, "todo": YELLOW}

Json = dict[str, Any]


@dataclass(frozen=True)
class Circumstances:
    """What else a student should know about a grade, and what it may not tell.

    Attributes
    ----------
    notes : tuple of str
    days_late : int
    penalty : float
        Share of the score for each of these days.
    tell_seed : bool
        Whoever knows the seed knows the numbers, and could look answers up.
    """

    notes: tuple[str, ...] = ()
    days_late: int = 0
    penalty: float = 0.0
    tell_seed: bool = False

    def score(self, result: Result) -> float:
        """The result's score, less what lateness costs."""
        left = max(0.0, 1 - self.penalty * self.days_late)
        return round(result.score * left, 2) if left < 1 else result.score

    def words(self, result: Result) -> list[str]:
        """Lateness and notes, each in a line; names are escaped."""
        lines = [escape(note) for note in self.notes]
        if self.days_late:
            days = f"{self.days_late} day" + ("s" if self.days_late > 1 else "")
            cost = f": {result.score} becomes {self.score(result)}" if self.penalty else ""
            lines.append(f"{days} late{cost}")
        if self.tell_seed:
            lines.append(f"seed {result.seed}")
        return lines


PLAIN_CASE = Circumstances()


def text(result: Result, folder: str = "", colour: bool = False) -> str:
    """The result for a terminal: what failed, a line for each item, the points.

    Parameters
    ----------
    result : Result
    folder : str, optional
        Folder and options, for the command that repeats an item.
    colour : bool
    """

    def paint(words: str, code: str) -> str:
        return f"{code}{words}{PLAIN}" if colour else words

    lines: list[str] = []
    told = items_by_message(result)
    for item in result.items:
        kind = kind_of(item)
        title = paint(f"{item.item.id}: {item.item.title}", BOLD + SHADES[kind])
        if kind != "fail":
            lines += [title, *(f"    {line}" for line in printed(item)), ""] if item.output else []
            continue
        first, *others = told[item.failed[0].message]
        if first != item.item.id:
            continue
        cause = line_of_cause(item)
        lines.append(f"{title}  {paint(item.code, YELLOW)}")
        lines += [
            f"    {paint(w, BOLD) if i == cause else w}" for i, w in enumerate(explained(item))
        ]
        lines += [f"    the same in {', '.join(others)}"] if others else []
        lines += [f"    again: {again(result, item, folder)}", ""]
    width = max(len(item.item.id) for item in result.items)
    titles = max(len(item.item.title) for item in result.items)
    for item in result.items:
        mark = paint(f"{kind_of(item):<4}", SHADES[kind_of(item)])
        name = f"{item.item.id:<{width}}  {item.item.title:<{titles}}"
        lines.append(f"{mark}  {name}  {item.score:>3} / {item.item.points}")
    points = sum(item.item.points for item in result.items)
    shade = GREEN if result.score == points else YELLOW
    lines.append(f"seed {result.seed}, sandbox level {result.level}")
    lines.append(paint(f"{result.score} / {points}", BOLD + shade))
    return "\n".join(lines)


def kind_of(item: ItemResult) -> str:
    """pass, fail, or todo for what nobody has begun."""
    if item.passed:
        return "pass"
    return "todo" if item.code == "not_implemented" else "fail"


def items_by_message(result: Result) -> dict[str, list[str]]:
    """The failed items by what is told of them: an error in what several call is told once."""
    told: dict[str, list[str]] = {}
    for item in result.items:
        if kind_of(item) == "fail":
            told.setdefault(item.failed[0].message, []).append(item.item.id)
    return told


def explained(item: ItemResult) -> list[str]:
    """Got, expected and the cause of the first finding, what else failed, what was printed."""
    return message_of(item) + also_failed(item) + printed(item)


def message_of(item: ItemResult) -> list[str]:
    """The first finding's lines, escaped."""
    return escape(item.failed[0].message, keep="\n").splitlines() or [""]


def line_of_cause(item: ItemResult) -> int:
    """Which line of the message it is: behind got and expected, but before an error's place."""
    return 0 if item.code == "exception" else len(message_of(item)) - 1


def also_failed(item: ItemResult) -> list[str]:
    """The other findings, a line each."""
    return [f"also: {escape(finding.array)}, {finding.code}" for finding in item.failed[1:]]


def printed(item: ItemResult) -> list[str]:
    """The first lines of what the student's code printed; escaped."""
    lines = escape(item.output.rstrip(), keep="\n\t").split("\n") if item.output.strip() else []
    more = [f"| ... {len(lines) - PRINTED} more lines"] if len(lines) > PRINTED else []
    return [f"| {line}" for line in lines[:PRINTED]] + more


def again(result: Result, item: ItemResult, folder: str = "", tell_seed: bool = True) -> str:
    """The command that repeats an item, with its numbers where these may be known."""
    words = ["nnscratch homework check", *([folder] if folder else []), f"--item {item.item.id}"]
    return " ".join([*words, *([f"--seed {result.seed}"] if tell_seed else [])])


def gradescope_json(result: Result, around: Circumstances = PLAIN_CASE) -> Json:
    """results.json as Gradescope documents it; the same result gives the same bytes."""
    return {
        "score": around.score(result),
        "output": "\n".join([*around.words(result), f"sandbox level {result.level}"]),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            {
                "name": f"{item.item.id}: {item.item.title}",
                "number": str(number),
                "score": item.score,
                "max_score": item.item.points,
                "status": "passed" if item.passed else "failed",
                "output": "" if item.passed else _output(result, item, around),
                "tags": [] if item.passed else [item.code],
                "extra_data": {"id": item.item.id, "diagnosis": item.code},
            }
            for number, item in enumerate(result.items, 1)
        ],
        "extra_data": identity(result, around) | {"max_score": result.max_score},
    }


def identity(result: Result, around: Circumstances = PLAIN_CASE) -> Json:
    """What the grades depend on: equal, and grading again would give the same.

    Of the seed a digest, with the submission's so that nobody finds it by trying.
    """
    digest = hashlib.sha256(f"{result.seed} {result.submission.sha256}".encode()).hexdigest()
    return {
        "assignment": result.assignment.name,
        "assignment_sha256": result.assignment.sha256,
        "submission_sha256": result.submission.sha256,
        "seed_sha256": digest,
        "sandbox_level": result.level,
        "circumstances": "; ".join(around.words(result)),
    }


def _output(result: Result, item: ItemResult, around: Circumstances) -> str:
    first = items_by_message(result).get(item.failed[0].message, [item.item.id])[0]
    if first != item.item.id:
        return f"{item.code}\nthe same as in {first}"
    command = again(result, item, tell_seed=around.tell_seed)
    return "\n".join([f"{item.code}", *explained(item), f"try: {command}"])


def dump(results: Json) -> bytes:
    """JSON in ASCII, indented."""
    return (json.dumps(results, indent=1) + "\n").encode("ascii")
