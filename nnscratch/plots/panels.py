"""Panels with axes, side by side: the look that all pictures of curves and points share.

They stand on ``matplotlib.figure.Figure`` objects, not on pyplot's: that needs no display, leaves
no global state behind, and spares the import of pyplot.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from nnscratch.plots.texts import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL_INCHES = (600 / DPI, 425 / DPI)
TITLE, SMALL = 12, 8  # letters, in points


def panels(
    rows: int, columns: int, width: float, height: float, **spacing: Any
) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches, and its panels in reading order; spacing as matplotlib's."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    class Twice(ConstrainedLayoutEngine):
        """Laid out again, since the numbers along an axis depend on its length: 1.5 or 1.50."""

        def execute(self, fig: Figure) -> None:
            super().execute(fig)
            super().execute(fig)

    layout = Twice(wspace=0.04)
    layout.set(**spacing)
    figure = Figure(figsize=(width, height), dpi=DPI, layout=layout)
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def open_panel(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Give a panel its labels, a faint grid, and frames at the left and below only."""
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(which="both", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def note_left_out(axes: Axes, not_finite: int, not_positive: int = 0) -> None:
    """Say above a panel how many values have no point."""
    notes = [f"{not_finite} not finite"] if not_finite else []
    notes += [f"{not_positive} not positive"] if not_positive else []
    if notes:
        left_out = "values left out: " + ", ".join(notes)
        axes.set_title(left_out, loc="right", fontsize=SMALL, color="0.3")


def say_empty(axes: Axes, what: str) -> None:
    """Write into a panel why there is nothing in it."""
    axes.set_yticks([])
    axes.set_yticks([], minor=True)
    axes.text(0.5, 0.5, what, transform=axes.transAxes, ha="center", color="0.3")


def head(figure: Figure, title: str | None) -> None:
    """Write a title above all panels, as it is, in as many lines as it needs."""
    if title:
        lines = textwrap.wrap(title, int(9 * figure.get_size_inches()[0]))
        figure.suptitle("\n".join(lines), fontsize=TITLE, parse_math=False)
