"""Panels with axes, side by side: the look that all pictures of curves and points share.

Each picture has a figure of its own, or stands on the axes that its caller gives it. Figures
stand on ``matplotlib.figure.Figure`` objects, not on pyplot's: that needs no display, leaves
no global state behind, and spares the import of pyplot.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from nnscratch.plots.colours import ink
from nnscratch.plots.legend import legend_below, legend_in
from nnscratch.plots.texts import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

PANEL_INCHES = (600 / DPI, 425 / DPI)
TITLE, MIDDLE, SMALL = 12, 10, 8  # letters, in points
SIDES: tuple[Literal["left", "center", "right"], ...] = ("left", "center", "right")
INSIDE = 0.16  # of the room of a panel among others in one place, for its labels


class Panels:
    """The panels of one picture, in reading order, with what belongs to all of them.

    Parameters
    ----------
    figure : Figure
    places : list of Axes
    host : Axes, optional
        What belongs to all stands here, where the picture has no figure of its own.
    """

    def __init__(self, figure: Figure, places: list[Axes], host: Axes | None = None) -> None:
        self.figure, self.places, self.host = figure, places, host

    def head(self, title: str | None) -> None:
        """Write a title above all panels, as it is, in as many lines as it needs; the last step."""
        if not title:
            return
        if self.host is not None:
            first, text = self.places[0], "\n".join(textwrap.wrap(title, 60))
            there = {side: first.get_title(side) for side in SIDES if first.get_title(side)}
            if self.host is first:  # an empty line lifts it above what stands at the sides
                first.set_title(text + "\n" * bool(there), fontsize=MIDDLE, parse_math=False)
            else:  # the panels inside may end where the frame does: it is one more line of theirs
                side, below = next(iter(there.items()), (SIDES[0], ""))
                text = f"{text}\n{below}" if below else text
                first.set_title(text, loc=side, fontsize=MIDDLE, parse_math=False)
            return
        lines = textwrap.wrap(title, int(9 * self.figure.get_size_inches()[0]))
        self.figure.suptitle("\n".join(lines), fontsize=TITLE, parse_math=False)

    def legend(self, handles: list[Line2D]) -> None:
        """Explain the lines below the panels, or inside the first of panels that were given."""
        if self.host is not None:
            legend_in(self.places[0], handles)
        else:
            legend_below(self.figure, handles)


def panels(
    caller: str,
    count: int,
    columns: int,
    width: float,
    height: float,
    axes: Any = None,
    **spacing: Any,
) -> Panels:
    """So many panels: on the axes given, or on a figure of so many inches; spacing as matplotlib's.

    A single Axes is divided among several panels.
    """
    rows = -(-count // columns)
    if axes is not None:
        given = axes_of(caller, axes)
        if len(given) not in (1, count):
            raise ValueError(
                f"{caller} draws {_panels(count)}, received {len(given)} axes; pass "
                f"{'one' if count == 1 else f'{count} of them, or one that is divided'}"
            )
        host = given[0]
        places = given if len(given) == count else _divided(host, rows, columns)[:count]
        return Panels(host.figure, places, host)  # type: ignore[arg-type]  # or a part of one

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
    places = list(figure.subplots(rows, columns, squeeze=False).flat)
    for empty in places[count:]:
        empty.remove()
    return Panels(figure, places[:count])


def axes_of(caller: str, axes: Any) -> list[Axes]:
    """The axes that a caller was given: one, or those of a list or array."""
    from matplotlib.axes import Axes

    flat = list(_flat(axes))
    wrong = [type(each).__name__ for each in flat if not isinstance(each, Axes)]
    if wrong or not flat:
        received = wrong[0] if wrong else "none"
        raise ValueError(
            f"{caller} expected axes of matplotlib, received {received}; "
            "make them with figure, axes = plt.subplots()"
        )
    return flat


def _flat(axes: Any) -> Iterator[Any]:
    """One thing, or those in lists and arrays of any depth."""
    if isinstance(axes, np.ndarray):
        yield from np.asarray(axes).ravel().tolist()
    elif isinstance(axes, (list, tuple)):
        for each in axes:
            yield from _flat(each)
    else:
        yield axes


def _panels(count: int) -> str:
    return f"{count} panel{'s' if count != 1 else ''}"


def _divided(host: Axes, rows: int, columns: int) -> list[Axes]:
    """Panels in the place of one, which remains as an invisible frame around them."""
    host.set_axis_off()
    cells = [(row, column) for row in range(rows) for column in range(columns)]
    spec = host.get_subplotspec()
    if spec is not None:
        inner = spec.subgridspec(rows, columns)
        return [host.figure.add_subplot(inner[cell]) for cell in cells]
    width, height = 1 / columns, 1 / rows
    return [
        host.inset_axes(
            (
                column * width + INSIDE * width,
                1 - (row + 1) * height + INSIDE * height,
                (1 - 1.25 * INSIDE) * width,
                (1 - 2 * INSIDE) * height,
            )
        )
        for row, column in cells
    ]


def open_panel(axes: Axes, xlabel: str, ylabel: str) -> None:
    """Give a panel its labels, a faint grid, and frames at the left and below only."""
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    axes.grid(which="both", color=ink(0.9), linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def note_left_out(
    axes: Axes, not_finite: int, not_positive: int = 0, smoothing: float = 0.0
) -> None:
    """Say above a panel how many values have no point, and what was done to the others."""
    notes = [f"{not_finite} not finite"] if not_finite else []
    notes += [f"{not_positive} not positive"] if not_positive else []
    said = ["values left out: " + ", ".join(notes)] if notes else []
    said += [f"smoothed by {smoothing:g}, the raw curve faint"] if smoothing else []
    if said:
        axes.set_title("; ".join(said), loc="right", fontsize=SMALL, color=ink(0.3))


def say_empty(axes: Axes, what: str) -> None:
    """Write into a panel why there is nothing in it."""
    axes.set_yticks([])
    axes.set_yticks([], minor=True)
    axes.text(0.5, 0.5, what, transform=axes.transAxes, ha="center", color=ink(0.3))
