"""Late work: by when, by how much, and what it costs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Deadline:
    """When an assignment is due.

    Attributes
    ----------
    due : datetime
        In local time.
    penalty : float
        Share of the score that each day begun costs.

    Examples
    --------
    >>> deadline = Deadline(datetime(2026, 10, 1, 23, 59), 0.1)
    >>> deadline.days(datetime(2026, 10, 2, 0, 30)), deadline.score(90, 1)
    (1, 81.0)
    """

    due: datetime
    penalty: float = 0.0

    def days(self, time: datetime | None) -> int:
        """The days that have begun since it was due; 0 for work in time or of unknown time."""
        if time is None or time <= self.due:
            return 0
        return math.ceil((time - self.due) / timedelta(days=1))

    def score(self, score: float, days: int) -> float:
        """What is left of a score."""
        return round(max(0.0, score * (1 - self.penalty * days)), 2)


def read_due(text: str) -> datetime:
    """A date and time such as 2026-10-01T23:59; a date alone means its end.

    Raises
    ------
    ValueError
        It is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time such as 2026-10-01T23:59") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone().replace(tzinfo=None)
    return moment.replace(hour=23, minute=59, second=59) if len(text) <= 10 else moment


def read_penalty(text: str) -> float:
    """The share of a penalty such as 10%/day.

    Raises
    ------
    ValueError
        It is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%\s*(?:/|per)\s*day", text.strip())
    if match is None or float(match[1]) > 100:
        raise ValueError(f"{text!r} is no penalty such as 10%/day")
    return float(match[1]) / 100
