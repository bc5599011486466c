"""A result in words: on a terminal, in Gradescope's results.json, and as a page.

Everything that came from a student is escaped here: control characters on the way to a terminal
or a file, markup on the way to a page.
"""

from __future__ import annotations

import hashlib
import html
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
    told: dict[str, list[str]] = {}  # an error in what several items call is told once
    for item in result.items:
        if _kind(item) == "fail":
            told.setdefault(item.failed[0].message, []).append(item.item.id)
    for item in result.items:
        kind = _kind(item)
        title = paint(f"{item.item.id}: {item.item.title}", BOLD + SHADES[kind])
        if kind != "fail":
            lines += [title, *(f"    {line}" for line in printed(item)), ""] if item.output else []
            continue
        first, *others = told[item.failed[0].message]
        if first != item.item.id:
            continue
        cause = _line_of_cause(item)
        lines.append(f"{title}  {paint(item.code, YELLOW)}")
        lines += [
            f"    {paint(w, BOLD) if i == cause else w}" for i, w in enumerate(explained(item))
        ]
        lines += [f"    the same in {', '.join(others)}"] if others else []
        lines += [f"    again: {again(result, item, folder)}", ""]
    width = max(len(item.item.id) for item in result.items)
    titles = max(len(item.item.title) for item in result.items)
    for item in result.items:
        mark = paint(f"{_kind(item):<4}", SHADES[_kind(item)])
        name = f"{item.item.id:<{width}}  {item.item.title:<{titles}}"
        lines.append(f"{mark}  {name}  {item.score:>3} / {item.item.points}")
    points = sum(item.item.points for item in result.items)
    shade = GREEN if result.score == points else YELLOW
    lines.append(f"seed {result.seed}, sandbox level {result.level}")
    lines.append(paint(f"{result.score} / {points}", BOLD + shade))
    return "\n".join(lines)


def _kind(item: ItemResult) -> str:
    if item.passed:
        return "pass"
    return "todo" if item.code == "not_implemented" else "fail"


def explained(item: ItemResult) -> list[str]:
    """Got, expected and the cause of the first finding, what else failed, what was printed."""
    return _message(item) + _also(item) + printed(item)


def _message(item: ItemResult) -> list[str]:
    return escape(item.failed[0].message, keep="\n").splitlines() or [""]


def _line_of_cause(item: ItemResult) -> int:
    """Which line of the message it is: behind got and expected, but before an error's place."""
    return 0 if item.code == "exception" else len(_message(item)) - 1


def _also(item: ItemResult) -> list[str]:
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
    told = again(result, item, tell_seed=around.tell_seed)
    return "\n".join([f"{item.code}", *explained(item), f"try: {told}"])


def dump(results: Json) -> bytes:
    """JSON in ASCII, indented."""
    return (json.dumps(results, indent=1) + "\n").encode("ascii")


PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 48rem; margin: 0 auto; padding: 1rem;
       color: #222; background: #fff; }}
h1 {{ font-size: 1.3rem; overflow-wrap: anywhere; }}
.score {{ font-size: 2rem; font-weight: bold; }}
section {{ border-left: .3rem solid #2a7; padding: .1rem .8rem; margin: 1rem 0; }}
section.fail {{ border-color: #c33; }}
section.todo {{ border-color: #c90; }}
h2 {{ font-size: 1rem; margin: .3rem 0; overflow-wrap: anywhere; }}
p {{ margin: .5rem 0; overflow-wrap: anywhere; }}
pre {{ overflow-x: auto; font-size: .85rem; background: #f5f5f5; padding: .6rem; }}
code {{ overflow-wrap: anywhere; }}
small {{ color: #555; overflow-wrap: anywhere; }}
@media (prefers-color-scheme: dark) {{
  body {{ color: #ddd; background: #181818; }} pre {{ background: #262626; }}
  small {{ color: #aaa; }} }}
</style>
</head>
<body>
<h1>{title}</h1>
<p class="score">{score} / {max_score}</p>
{notes}
{items}
<p><small>{footer}</small></p>
</body>
</html>
"""


def page(result: Result, around: Circumstances = PLAIN_CASE) -> bytes:
    """A static page of the result, without script."""
    name = escape(result.submission.student)
    told = identity(result, around).items()
    footer = ", ".join(f"{key} {value}" for key, value in told if key != "circumstances")
    content = PAGE.format(
        title=html.escape(f"{name}: {result.assignment.title}"),
        score=around.score(result),
        max_score=result.max_score,
        notes="\n".join(_element("p", line) for line in around.words(result)),
        items="\n".join(_section(result, item, around) for item in result.items),
        footer=html.escape(footer),
    )
    return content.encode("utf-8", "backslashreplace")


def _section(result: Result, item: ItemResult, around: Circumstances) -> str:
    kind = _kind(item)
    points = f"{item.score}\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}{item.item.points}"
    lines = [_element("h2", f"{item.item.id}: {item.item.title}: {points}")]
    if kind == "todo":
        lines += [_element("p", line) for line in _message(item)]
    if kind == "fail":
        message, at = _message(item), _line_of_cause(item)
        evidence = "\n".join(message[:at] + message[at + 1 :])
        parts = [_element("pre", evidence), _element("strong", message[at])]
        lines += [_element("code", item.code), *(parts if at else reversed(parts))]
        lines += [_element("p", line) for line in _also(item)]
        lines += [_element("pre", "\n".join(printed(item)))]
        told = again(result, item, tell_seed=around.tell_seed)
        lines += [_element("p", "try:") + _element("code", told)]
    return "\n".join([f'<section class="{kind}">', *filter(None, lines), "</section>"])


def _element(name: str, text: str) -> str:
    """The escaped text in an element; nothing for no text."""
    return f"<{name}>{html.escape(text)}</{name}>" if text else ""
