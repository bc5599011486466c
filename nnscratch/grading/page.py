"""A result as a page: static, without script, readable on a phone.

Everything that came from a student is escaped: control characters by report.py, markup here.
"""

from __future__ import annotations

import html

from nnscratch.grading.grade import ItemResult, Result
from nnscratch.grading.report import (
    PLAIN_CASE,
    Circumstances,
    again,
    also_failed,
    identity,
    items_by_message,
    kind_of,
    line_of_cause,
    message_of,
    printed,
)
from nnscratch.grading.sandbox.protocol import escape

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
p code {{ display: block; }}
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
    kind = kind_of(item)
    points = f"{item.score}\N{NO-BREAK SPACE}/\N{NO-BREAK SPACE}{item.item.points}"
    lines = [_element("h2", f"{item.item.id}: {item.item.title}: {points}")]
    if kind == "todo":
        lines += [_element("p", line) for line in message_of(item)]
    if kind == "fail":
        lines.append(_element("code", item.code))
        first = items_by_message(result)[item.failed[0].message][0]
        told = [] if first == item.item.id else [html.escape(f"the same as in {first}")]
        lines += told or _told(result, item, around)
    return "\n".join([f'<section class="{kind}">', *filter(None, lines), "</section>"])


def _told(result: Result, item: ItemResult, around: Circumstances) -> list[str]:
    """What went wrong: in a line, in numbers, and why; where else; what was printed; what to do."""
    message, at = message_of(item), line_of_cause(item)
    cause = _element("strong", message[at])
    if at:
        lines = [_element("p", message[0]), _element("pre", "\n".join(message[1:at])), cause]
    else:
        lines = [cause, _element("pre", "\n".join(message[1:]))]
    lines += [_element("p", line) for line in also_failed(item)]
    lines.append(_element("pre", "\n".join(printed(item))))
    if item.code != "unreadable":
        command = again(result, item, tell_seed=around.tell_seed)
        lines.append(f"<p>try: {_element('code', command)}</p>")
    return lines


def _element(name: str, text: str) -> str:
    """The escaped text in an element; nothing for no text."""
    return f"<{name}>{html.escape(text)}</{name}>" if text else ""
