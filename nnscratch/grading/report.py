"""A result in words: on a terminal, in Gradescope's results.json, and as a page.

Everything that came from a student is escaped here: control characters on the way to a terminal
or a file, markup on the way to a page.
"""

from __future__ import annotations

import html
import json
from typing import Any

from nnscratch.gradient_check.report import BOLD, GREEN, PLAIN, RED, YELLOW
from nnscratch.grading.grade import ItemResult, Result
from nnscratch.grading.sandbox.protocol import escape

PRINTED = 12  # lines of what the student's code printed that are shown

SHADES = {"pass": GREEN, "fail": RED, "todo": YELLOW}

Json = dict[str, Any]


def text(result: Result, place: str = "", colour: bool = False) -> str:
    """The result for a terminal: what failed, a line for each item, the points.

    Parameters
    ----------
    result : Result
    place : str, optional
        Folder and options, for the command that repeats an item.
    colour : bool
    """

    def paint(words: str, code: str) -> str:
        return f"{code}{words}{PLAIN}" if colour else words

    lines: list[str] = []
    told: dict[str, str] = {}  # an error in what several items call is told once
    for item in result.items:
        kind = _kind(item)
        title = paint(f"{item.item.id}: {item.item.title}", BOLD + SHADES[kind])
        if kind != "fail":
            lines += [title, *(f"    {line}" for line in printed(item)), ""] if item.output else []
            continue
        first = told.setdefault(item.failed[0].message, item.item.id)
        words = explained(item) if first == item.item.id else [f"the same as in {first}"]
        cause = _place_of_cause(item)
        lines.append(f"{title}  {paint(item.code, YELLOW)}")
        lines += [f"    {paint(w, BOLD) if i == cause else w}" for i, w in enumerate(words)]
        lines += [f"    again: {again(result, item, place)}", ""]
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


def _place_of_cause(item: ItemResult) -> int:
    """Which line of the message it is: behind got and expected, but before an error's place."""
    return 0 if item.code == "exception" else len(_message(item)) - 1


def _also(item: ItemResult) -> list[str]:
    return [f"also: {escape(finding.array)}, {finding.code}" for finding in item.failed[1:]]


def printed(item: ItemResult) -> list[str]:
    """The first lines of what the student's code printed; escaped."""
    lines = escape(item.output.rstrip(), keep="\n\t").split("\n") if item.output.strip() else []
    more = [f"| ... {len(lines) - PRINTED} more lines"] if len(lines) > PRINTED else []
    return [f"| {line}" for line in lines[:PRINTED]] + more


def again(result: Result, item: ItemResult, place: str = "") -> str:
    """The command that repeats an item with its numbers."""
    words = ["nnscratch homework check", *([place] if place else [])]
    return " ".join([*words, f"--item {item.item.id} --seed {result.seed}"])


def gradescope_json(result: Result) -> Json:
    """results.json as Gradescope documents it; the same result gives the same bytes."""
    return {
        "score": result.score,
        "output": f"seed {result.seed}, sandbox level {result.level}",
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
                "output": "" if item.passed else _output(result, item),
                "tags": [] if item.passed else [item.code],
                "extra_data": {"id": item.item.id, "diagnosis": item.code},
            }
            for number, item in enumerate(result.items, 1)
        ],
        "extra_data": identity(result) | {"max_score": result.max_score},
    }


def identity(result: Result) -> Json:
    """What the grades depend on: equal, and grading again would give the same."""
    return {
        "assignment": result.assignment.name,
        "assignment_sha256": result.assignment.sha256,
        "submission_sha256": result.submission.sha256,
        "seed": result.seed,
        "sandbox_level": result.level,
    }


def _output(result: Result, item: ItemResult) -> str:
    return "\n".join([f"{item.code}", *explained(item), f"again: {again(result, item)}"])


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
{items}
<p><small>{footer}</small></p>
</body>
</html>
"""


def page(result: Result) -> bytes:
    """A static page of the result, without script."""
    name = escape(result.submission.student)
    footer = ", ".join(f"{key} {value}" for key, value in identity(result).items())
    content = PAGE.format(
        title=html.escape(f"{name}: {result.assignment.title}"),
        score=result.score,
        max_score=result.max_score,
        items="\n".join(_section(result, item) for item in result.items),
        footer=html.escape(footer),
    )
    return content.encode("utf-8", "backslashreplace")


def _section(result: Result, item: ItemResult) -> str:
    kind = _kind(item)
    points = f"{item.score}\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}{item.item.points}"
    lines = [_element("h2", f"{item.item.id}: {item.item.title}: {points}")]
    if kind == "todo":
        lines += [_element("p", line) for line in _message(item)]
    if kind == "fail":
        message, place = _message(item), _place_of_cause(item)
        evidence = "\n".join(message[:place] + message[place + 1 :])
        parts = [_element("pre", evidence), _element("strong", message[place])]
        lines += [_element("code", item.code), *(parts if place else reversed(parts))]
        lines += [_element("p", line) for line in _also(item)]
        lines += [_element("pre", "\n".join(printed(item)))]
        lines += [_element("p", "again:") + _element("code", again(result, item))]
    return "\n".join([f'<section class="{kind}">', *filter(None, lines), "</section>"])


def _element(name: str, text: str) -> str:
    """The escaped text in an element; nothing for no text."""
    return f"<{name}>{html.escape(text)}</{name}>" if text else ""
