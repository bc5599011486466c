"""Which of several ways to train is better: their curves in one panel, over several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.plots.axes import drawable_points, end_at_one, show_epochs, use_log_scale
from nnscratch.plots.colours import COLOURS, MARKERS
from nnscratch.plots.curves import Run
from nnscratch.plots.legend import legend_below
from nnscratch.plots.panels import (
    PANEL_INCHES,
    head,
    note_left_out,
    open_panel,
    panels,
    say_empty,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKED = 8  # places along a curve
NAMES = {
    "train_loss": "training loss (mean per sample)",
    "valid_loss": "validation loss (mean per sample)",
    "train_accuracy": "training accuracy (share correct)",
    "valid_accuracy": "validation accuracy (share correct)",
    "learning_rate": "learning rate",
    "seconds": "time of an epoch (s)",
}


def plot_comparison(
    runs: Mapping[str, Run | Sequence[Run]],
    columns: Sequence[str] = ("train_loss", "valid_accuracy"),
    log: bool = False,
    title: str | None = None,
) -> Figure:
    """Draw the same columns of several ways to train, each with one run or with several seeds.

    The line of several runs is their mean, the band around it reaches from the lowest to the
    highest of them. Each way has a colour and a marker.

    Parameters
    ----------
    runs : mapping of str to History, or to a sequence of them
        By the name of each way; mappings of columns to lists will do as well.
    columns : sequence of str
        A panel each: "train_loss", "valid_loss", "train_accuracy", "valid_accuracy",
        "learning_rate" or "seconds".
    log : bool
        Draw losses on a logarithmic axis.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Epochs at which a run has no finite value (or with `log` no positive one), or has ended,
        have no point; a note above the panel counts such values.

    Raises
    ------
    ValueError
        There is nothing to compare, or a run lacks a column.

    Examples
    --------
    >>> sgd = [{"valid_loss": [0.9, 0.5]}, {"valid_loss": [0.7, 0.7]}]
    >>> figure = plot_comparison({"SGD": sgd, "Adam": {"valid_loss": [0.6, 0.3]}}, ["valid_loss"])
    >>> [line.get_ydata().tolist() for line in figure.axes[0].lines]
    [[0.8, 0.6], [0.6, 0.3]]
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['SGD', 'Adam']
    """
    from matplotlib.lines import Line2D

    ways = {name: _as_runs(name, group) for name, group in runs.items()}
    columns = _checked(ways, columns)
    figure, places = panels(
        1, len(columns), PANEL_INCHES[0] * max(len(columns), 1.35), PANEL_INCHES[1]
    )
    epochs = max(len(run[c]) for group in ways.values() for run in group for c in columns)
    handles = []
    for axes, column in zip(places, columns, strict=True):
        open_panel(axes, "epoch", NAMES.get(column, column))
        logarithmic = log and column.endswith("loss")
        if logarithmic:
            use_log_scale(axes)
        else:
            axes.ticklabel_format(axis="y", useOffset=False)
        left_out = np.zeros(2, int)
        for i, (name, group) in enumerate(ways.items()):
            look: dict[str, Any] = {
                "color": COLOURS[i % len(COLOURS)],
                "marker": MARKERS[i % len(MARKERS)],
            }
            values, missing = _values(group, column, epochs, logarithmic)
            _draw(axes, values, i / len(ways), look)
            left_out += missing
            if column == columns[0]:
                handles.append(Line2D([], [], label=name, markersize=5, **look))
        show_epochs(axes, epochs)
        if column.endswith("accuracy"):
            end_at_one(axes)
        if not any(np.isfinite(line.get_ydata()).any() for line in axes.lines):
            say_empty(axes, "nothing to draw")
        note_left_out(axes, *left_out)
    legend_below(figure, handles)
    head(figure, title)
    return figure


def _as_runs(name: str, group: Any) -> list[Run]:
    runs = [group] if hasattr(group, "keys") else list(group)
    if not runs or not all(hasattr(run, "keys") for run in runs):
        raise ValueError(
            f"plot_comparison expected a History or a list of them for {name!r}, "
            f"received {group!r:.60}"
        )
    return runs


def _checked(ways: Mapping[str, Sequence[Run]], columns: Sequence[str]) -> list[str]:
    if not ways:
        raise ValueError("plot_comparison needs at least one run, such as {'sgd': history}")
    columns = [columns] if isinstance(columns, str) else list(columns)
    if not columns:
        raise ValueError("plot_comparison needs at least one column, such as 'valid_loss'")
    for name, group in ways.items():
        for run in group:
            lacking = [c for c in columns if c not in set(run.keys()) or not len(run[c])]
            if lacking:
                there = ", ".join(run.keys()) or "none, train first"
                raise ValueError(
                    f"plot_comparison: a run of {name!r} has no column {lacking[0]!r}; "
                    f"there are {there}"
                )
    return columns


def _values(
    group: Sequence[Run], column: str, epochs: int, log: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(a row for each run with NaN for what has no point, counts of not finite, not positive)."""
    rows = np.full((len(group), epochs), np.nan)
    missing = np.zeros(2, int)
    for row, run in zip(rows, group, strict=True):
        curve = np.array(run[column], np.float64)
        finite, shown = drawable_points(curve, log)
        row[: len(curve)] = np.where(shown, curve, np.nan)
        missing += [int((~finite).sum()), int((finite & ~shown).sum())]
    return rows, missing


def _draw(axes: Axes, rows: np.ndarray, shift: float, look: Mapping[str, Any]) -> None:
    """Draw the mean and the band of the runs, with markers that are shifted along the curve."""
    there = np.isfinite(rows).all(axis=0)
    mean = np.full(rows.shape[1], np.nan)
    mean[there] = rows[:, there].mean(axis=0)
    epoch = np.arange(1, rows.shape[1] + 1)
    if len(rows) > 1:
        low = np.where(there, rows.min(axis=0), np.nan)
        high = np.where(there, rows.max(axis=0), np.nan)
        axes.fill_between(epoch, low, high, color=look["color"], alpha=0.2, linewidth=0)
    apart = max(1, rows.shape[1] // MARKED)
    marked = (int(shift * apart), apart)
    axes.plot(epoch, mean, linewidth=1.8, markersize=5, markevery=marked, **look)
