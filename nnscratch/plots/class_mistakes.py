"""What a class got wrong: how often each diagnosis was given, item by item."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from nnscratch.kinds import checks_kinds
from nnscratch.plots.colours import WRONG

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = 2
ROW, HEAD, WIDTH = 0.2, 0.65, 4.5  # inches of a bar, of a panel's title and ticks, of a panel
NAMED = 6  # diagnoses of an item with a bar of their own


@checks_kinds
def plot_diagnoses(counts: Mapping[str, Mapping[str, int]], title: str = "") -> Figure:
    """Draw a panel for each item: its most frequent diagnoses, and how many were right.

    Parameters
    ----------
    counts : mapping of mappings
        By item and diagnosis the number of students; "" is a pass.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        There is nothing to draw.

    Examples
    --------
    >>> figure = plot_diagnoses({"linear": {"": 20, "transposed": 7}}, "a class")
    >>> [label.get_text() for label in figure.axes[0].get_yticklabels()]
    ['transposed']
    >>> figure.axes[0].get_title(loc="left")
    'linear: 20 of 27 right'
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if not counts:
        raise ValueError("plot_diagnoses received no item")
    bars = {item: _most_frequent(found) for item, found in counts.items()}
    columns = min(COLUMNS, len(bars))
    rows = math.ceil(len(bars) / columns)
    most = max((n for found in bars.values() for _, n in found), default=1)
    longest = max(len(found) for found in bars.values())
    figure = Figure((WIDTH * columns, 0.5 + rows * (HEAD + ROW * longest)), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for panel, (item, found) in zip(panels, bars.items(), strict=False):
        drawn = panel.barh(range(len(found)), [n for _, n in found], color=WRONG, height=0.7)
        panel.bar_label(drawn, padding=2, fontsize=7)
        panel.set_yticks(range(len(found)), [code for code, _ in found], fontsize=7)
        panel.set_ylim(longest - 0.4, -0.6)
        panel.set_xlim(0, 1.1 * most)
        panel.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        panel.tick_params(axis="x", labelsize=7)
        right, total = counts[item].get("", 0), sum(counts[item].values())
        panel.set_title(f"{item}: {right} of {total} right", loc="left", fontsize=9)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(bars) :]:
        panel.set_axis_off()
    figure.suptitle(title)
    figure.supxlabel("students", fontsize=8)
    return figure


def _most_frequent(found: Mapping[str, int]) -> list[tuple[str, int]]:
    """The diagnoses with a bar of their own, and the sum of the rest."""
    wrong = sorted(((c, n) for c, n in found.items() if c), key=lambda pair: (-pair[1], pair[0]))
    rest = sum(n for _, n in wrong[NAMED:])
    return wrong[:NAMED] + ([("other", rest)] if rest else [])
