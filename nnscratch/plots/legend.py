"""The legend of a figure, below its panels: there it never covers what they show.

Where panels were given to a picture, what is below them is not its own, and the legend is inside.
"""

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D


def legend_below(figure: "Figure", handles: "list[Line2D]") -> None:
    """Put the legend below the panels, and make the figure higher by what it needs."""
    width, height = figure.get_size_inches()
    labels = ["\n".join(textwrap.wrap(str(h.get_label()), int(9 * width))) for h in handles]
    lengths = [max(map(len, label.split("\n"))) for label in labels]
    columns = len(handles)
    while columns > 1 and _inches(lengths, columns) > width:
        columns -= 1
    rows = -(-len(handles) // columns)
    columns = -(-len(handles) // rows)
    lines = rows * max(label.count("\n") + 1 for label in labels)
    figure.set_size_inches(width, height + 0.2 * lines)
    legend = figure.legend(
        handles,
        ["-"] * len(handles),
        loc="outside lower center",
        ncols=columns,
        fontsize=9,
        frameon=False,
        handlelength=2.6,
        borderaxespad=0.1,
    )
    _write(legend, labels)


def legend_in(axes: "Axes", handles: "list[Line2D]") -> None:
    """Put the legend inside a panel that was given, where it covers the least."""
    labels = ["\n".join(textwrap.wrap(str(h.get_label()), 40)) for h in handles]
    legend = axes.legend(
        handles, ["-"] * len(handles), fontsize=8, framealpha=0.7, handlelength=2.2
    )
    _write(legend, labels)


def _write(legend: "Legend", labels: list[str]) -> None:
    """Set afterwards: names of folders may begin with _ or hold $, which legends give a meaning."""
    for text, label in zip(legend.get_texts(), labels, strict=True):
        text.set_parse_math(False)
        text.set_text(label)


def _inches(lengths: list[int], columns: int) -> float:
    """Estimate a legend's width from the lengths of its labels, which fill column by column."""
    rows = -(-len(lengths) // columns)
    widest = [max(lengths[first : first + rows]) for first in range(0, len(lengths), rows)]
    return sum(0.075 * letters + 0.65 for letters in widest)
