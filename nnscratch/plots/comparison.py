"""Which of several ways to train is better: their curves in one panel, over several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.plots.axes import drawable_points, end_at_one, show_epochs, use_log_scale
from nnscratch.plots.colours import MARKERS, of_line
from nnscratch.plots.curves import FAINT
from nnscratch.plots.panels import (
    PANEL_INCHES,
    axes_of,
    note_left_out,
    open_panel,
    panels,
    say_empty,
)
from nnscratch.plots.records import Run, as_run, check_smoothing, is_run, smoothed

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
USUAL = (("train_loss", "valid_loss"), ("valid_accuracy", "train_accuracy"))  # the first there is
BANDS = {"range": (0.0, 1.0), "quartiles": (0.25, 0.75)}


Runs = Mapping[str, Run | Sequence[Run]]


@checks_kinds
def plot_comparison(
    runs: Runs,
    columns: Sequence[str] | str | None = None,
    log: bool = False,
    title: str | None = None,
    band: str = "range",
    smoothing: float = 0.0,
    axes: Any = None,
) -> Figure:
    """Draw the same columns of several ways to train, each with one run or with several seeds.

    The line of several runs is their median, the band around it reaches from the lowest to the
    highest of them, or over their middle half. Each way has a colour and a marker.

    Parameters
    ----------
    runs : mapping of str to History, or to a sequence of them
        By the name of each way; mappings of columns to lists will do as well, and folders of runs.
    columns : sequence of str, optional
        A panel each: "train_loss", "valid_loss", "train_accuracy", "valid_accuracy",
        "learning_rate", "seconds" or those of a metric. Unless given the training loss and the
        validation accuracy, or what there is instead; on a single Axes the first of them.
    log : bool
        Draw losses on a logarithmic axis.
    title : str, optional
    band : "range" or "quartiles"
        What the band is: all of the runs, or the middle half of them.
    smoothing : float in [0, 1)
        The share of the mean that remains at each epoch (see :func:`plot_steps`); each run is
        smoothed by itself, and the raw medians are faint.
    axes : Axes, or sequence of Axes, optional
        Where to draw, one for each panel; a figure of its own unless given.

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

    if band not in BANDS:
        raise ValueError(
            f"plot_comparison expected a band of {', '.join(BANDS)}, received {band!r}"
        )
    check_smoothing("plot_comparison", smoothing)
    ways = {name: _as_runs(name, group) for name, group in runs.items()}
    single = axes is not None and len(axes_of("plot_comparison", axes)) == 1
    chosen = _checked(ways, columns, single)
    width = PANEL_INCHES[0] * max(len(chosen), 1.35)
    sheet = panels("plot_comparison", len(chosen), len(chosen), width, PANEL_INCHES[1], axes)
    epochs = max(len(run[c]) for group in ways.values() for run in group for c in chosen)
    looks: list[dict[str, Any]] = [
        {"color": of_line(i), "marker": MARKERS[i % len(MARKERS)]} for i in range(len(ways))
    ]
    for panel, column in zip(sheet.places, chosen, strict=True):
        logarithmic = log and column.endswith("loss")
        groups = [_values(group, column, epochs, logarithmic) for group in ways.values()]
        open_panel(panel, "epoch", NAMES.get(column, column.replace("_", " ")))
        if logarithmic:
            use_log_scale(panel)
        else:
            panel.ticklabel_format(axis="y", useOffset=False)
        for i, (values, _) in enumerate(groups):
            if smoothing:
                raw: dict[str, Any] = {"color": looks[i]["color"], "alpha": FAINT, "linewidth": 1}
                panel.plot(np.arange(1, epochs + 1), _line(values), label="_raw", **raw)
                values = np.array([smoothed(row, smoothing) for row in values])
            _draw(panel, values, i / len(ways), looks[i], BANDS[band])
        left_out = np.sum([missing for _, missing in groups], axis=0)
        _close_panel(panel, column, epochs, left_out, smoothing)
    names = zip(ways, looks, strict=True)
    sheet.legend([Line2D([], [], label=name, markersize=5, **look) for name, look in names])
    sheet.head(title)
    return sheet.figure


def _close_panel(
    panel: Axes, column: str, epochs: int, left_out: np.ndarray, smoothing: float
) -> None:
    """What depends on all that was drawn: the ends of the axes, and what has no point."""
    show_epochs(panel, epochs)
    if column.endswith("accuracy"):
        end_at_one(panel)
    if not any(np.isfinite(np.asarray(line.get_ydata())).any() for line in panel.lines):
        say_empty(panel, "nothing to draw")
    note_left_out(panel, int(left_out[0]), int(left_out[1]), smoothing)


def _as_runs(name: str, group: Any) -> list[Run]:
    runs = group if isinstance(group, (list, tuple)) else [group]
    if not runs or not all(is_run(run) for run in runs):
        raise ValueError(
            f"plot_comparison expected a History or a list of them for {name!r}, "
            f"received {group!r:.60}"
        )
    return [as_run("plot_comparison", run, f"a run of {name!r}") for run in runs]


def _checked(
    ways: Mapping[str, Sequence[Run]], columns: Sequence[str] | str | None, single: bool
) -> list[str]:
    if not ways:
        raise ValueError("plot_comparison needs at least one run, such as {'sgd': history}")
    every = [run for group in ways.values() for run in group]
    if columns is None:
        there = [[c for c in usual if all(_has(run, c) for run in every)] for usual in USUAL]
        found = [names[0] for names in there if names]
        columns = found[:1] if single else found
        columns = columns or [USUAL[0][0]]  # which is then said to be missing
    columns = [columns] if isinstance(columns, str) else list(columns)
    if not columns:
        raise ValueError("plot_comparison needs at least one column, such as 'valid_loss'")
    for name, group in ways.items():
        for run in group:
            lacking = [c for c in columns if not _has(run, c)]
            if lacking:
                available = ", ".join(run.keys()) or "none, train first"
                raise ValueError(
                    f"plot_comparison: a run of {name!r} has no column {lacking[0]!r}; "
                    f"there are {available}"
                )
    return columns


def _has(run: Run, column: str) -> bool:
    return column in set(run.keys()) and len(run[column]) > 0


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


def _line(rows: np.ndarray) -> np.ndarray:
    """The median of the runs, where all of them have a value."""
    return np.median(rows, axis=0)  # NaN where one is


def _draw(
    axes: Axes,
    rows: np.ndarray,
    shift: float,
    look: Mapping[str, Any],
    band: tuple[float, float],
) -> None:
    """Draw the median and the band of the runs, with markers that are shifted along the curve."""
    epoch = np.arange(1, rows.shape[1] + 1)
    if len(rows) > 1:
        low, high = (np.quantile(rows, share, axis=0) for share in band)
        axes.fill_between(epoch, low, high, color=look["color"], alpha=0.2, linewidth=0)
    apart = max(1, rows.shape[1] // MARKED)
    marked = (int(shift * apart), apart)
    axes.plot(epoch, _line(rows), linewidth=1.8, markersize=5, markevery=marked, **look)
