"""submission_metadata.yml of a Gradescope export: who handed in what, and when."""

from __future__ import annotations

import re
from datetime import datetime

Person = dict[str, str]
WHO = ("name", "sid", "email")


def submitters(text: str) -> dict[str, tuple[list[Person], datetime | None]]:
    """For each submission's folder its students and its time, in local time.

    The file is YAML, as one program writes it: a key for each submission, with its submitters as
    a list. So much of it is read here, and nothing else.

    Examples
    --------
    >>> text = '''
    ... submission_123:
    ...   :submitters:
    ...   - :name: Jane Doe
    ...     :sid: '20001'
    ...     :email: jane@example.org
    ...   :created_at: 2026-09-30 10:12:13.000000000 Z
    ...   :score: 0.0
    ... '''
    >>> submitters(text)["submission_123"][0]
    [{'name': 'Jane Doe', 'sid': '20001', 'email': 'jane@example.org'}]
    """
    found: dict[str, tuple[list[Person], datetime | None]] = {}
    submission, inside = "", ""
    for line in text.splitlines():
        if top := re.fullmatch(r"(\S.*?):\s*", line):
            submission, inside = _plain(top[1]), ""
            found[submission] = ([], None)
        elif not submission:
            continue
        elif key := re.fullmatch(r"  :?(\w+):\s*(.*)", line):
            inside = key[1]
            if inside == "created_at":
                found[submission] = (found[submission][0], _time(_plain(key[2])))
        elif inside == "submitters":
            people = found[submission][0]
            if entry := re.fullmatch(r"\s+(-\s+)?:?(\w+):\s*(.*)", line):
                if entry[1]:
                    people.append({})
                if people and entry[2] in WHO and entry[3]:
                    people[-1][entry[2]] = _plain(entry[3])
    return found


def _plain(text: str) -> str:
    """A YAML scalar without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\u([0-9a-fA-F]{4})|\\(.)", _escaped, text[1:-1])
    return "" if text in ("null", "~") else text


def _escaped(match: re.Match[str]) -> str:
    return chr(int(match[1], 16)) if match[1] else match[2]


def _time(text: str) -> datetime | None:
    match = re.match(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d)?", text)
    if match is None:
        return None
    zone = "+00:00" if match[3] in (None, "Z") else match[3]
    moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
    return moment.astimezone().replace(tzinfo=None)
