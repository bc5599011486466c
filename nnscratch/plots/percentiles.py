"""How the spread of some numbers moves while a net trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.plots.axes import drawable_points, end_at_one, without_neighbours
from nnscratch.plots.colours import COLOURS, of_line
from nnscratch.plots.panels import PANEL_INCHES, note_left_out, open_panel, panels
from nnscratch.plots.records import rising_steps
from nnscratch.plots.texts import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PERCENTS = (15, 50, 85)


@checks_kinds
def plot_percentiles(
    samples: Mapping[str, Any],
    steps: Any = None,
    what: str = "value",
    accuracy: Mapping[str, Any] | None = None,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw the 15th, 50th and 85th percentile of some numbers over the steps of a training.

    They show how the inputs of a sigmoid drift, as in the first figure of the paper on BatchNorm.
    All of their panels have the same vertical axis.

    Parameters
    ----------
    samples : mapping of str to array (records, samples)
        A panel for each name. Row r holds the numbers of the r-th record.
    steps : array (records,), optional
        The step of each record, rising; 0, 1, 2, ... unless given.
    what : str
        The name of the vertical axis.
    accuracy : mapping of str to array (records,), optional
        Curves for a panel before the others.
    title : str, optional
    axes : Axes, or sequence of Axes, optional
        Where to draw, one for each panel; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        Records with a number that is not finite have no point; a note says how many.

    Raises
    ------
    ValueError
        There is no panel, no record or no sample, or the lengths differ.

    References
    ----------
    Ioffe and Szegedy, Batch normalization (2015), section 4.1, figure 1.

    Examples
    --------
    >>> figure = plot_percentiles({"tanh": np.arange(101.0) * [[0.0], [1.0], [2.0]]})
    >>> [line.get_ydata().tolist() for line in figure.axes[0].lines]
    [[0.0, 15.0, 30.0], [0.0, 50.0, 100.0], [0.0, 85.0, 170.0]]
    """
    rows, steps, curves = _checked(samples, steps, accuracy)
    count = len(rows) + bool(curves)
    width = PANEL_INCHES[0] * (max(1.35, count) if count < 3 else 0.75 * count)
    sheet = panels("plot_percentiles", count, count, width, PANEL_INCHES[1], axes)
    places = list(sheet.places)
    if curves:
        _draw_accuracy(places.pop(0), curves, steps)
    for i, (panel, (name, values)) in enumerate(zip(places, rows.items(), strict=True)):
        open_panel(panel, "step", what if i == 0 else "")
        if i:
            panel.sharey(places[0])
        lines = _draw_percentiles(panel, steps, values)
        room = panel.get_window_extent().width
        panel.set_title(shortened(name, room, 10), fontsize=10, loc="left", parse_math=False)
    sheet.legend(lines)
    sheet.head(title)
    return sheet.figure


def _checked(
    samples: Mapping[str, Any], steps: Any, accuracy: Mapping[str, Any] | None
) -> tuple[dict[str, np.ndarray], np.ndarray, dict[str, np.ndarray]]:
    """(samples, steps, accuracies) as arrays with equally many records."""
    rows = {name: np.asarray(values, np.float64) for name, values in samples.items()}
    shapes = {name: values.shape for name, values in rows.items()}
    records = {shape[0] if len(shape) == 2 and shape[1] else 0 for shape in shapes.values()}
    if len(records) != 1 or records == {0}:
        raise ValueError(
            "plot_percentiles expected arrays (records, samples) of equally many records, "
            f"at least one, received {shapes}"
        )
    steps = rising_steps("plot_percentiles", steps, *records)
    curves = {name: np.asarray(curve, np.float64) for name, curve in (accuracy or {}).items()}
    if any(curve.shape != steps.shape for curve in curves.values()):
        raise ValueError(
            f"plot_percentiles expected an accuracy for each of {len(steps)} records, "
            f"received {[curve.shape for curve in curves.values()]}"
        )
    return rows, steps, curves


def _draw_percentiles(axes: Axes, steps: np.ndarray, values: np.ndarray) -> list[Any]:
    """The percentiles of one name; the lines that the legend explains."""
    usable: np.ndarray = np.asarray(drawable_points(values, log=False)[0].all(axis=1))
    low, middle, high = (np.full(len(steps), np.nan) for _ in PERCENTS)
    if usable.any():
        low[usable], middle[usable], high[usable] = np.percentile(values[usable], PERCENTS, axis=1)
    look: dict[str, Any] = {"color": COLOURS[0], "linewidth": 1.2, "linestyle": "--"}
    alone = np.flatnonzero(without_neighbours(usable)).tolist()  # a line would not show them
    look |= {"marker": "_", "markersize": 8, "markevery": alone}
    axes.fill_between(steps, low, high, color=COLOURS[0], alpha=0.15, linewidth=0)
    lines = axes.plot(steps, low, label="15th and 85th percentile", **look)
    (median,) = axes.plot(steps, middle, color=COLOURS[1], linewidth=2, label="median")
    median.set(marker="o", markersize=4, markevery=alone)
    lines.append(median)
    axes.plot(steps, high, **look)
    axes.margins(x=0.02)
    note_left_out(axes, int((~usable).sum()))
    return lines


def _draw_accuracy(axes: Axes, curves: Mapping[str, np.ndarray], steps: np.ndarray) -> None:
    """The curves with a legend inside, at the lower right: accuracies leave that free."""
    open_panel(axes, "step", "accuracy (share correct)")
    for i, (name, curve) in enumerate(curves.items()):
        finite = drawable_points(curve, log=False)[0]
        shown = np.where(finite, curve, np.nan)
        look: dict[str, Any] = {"color": of_line(i), "linewidth": 1.8}
        look |= {"marker": "o", "markersize": 4}
        look["markevery"] = np.flatnonzero(without_neighbours(finite)).tolist()
        axes.plot(steps, shown, label=name, linestyle="--" if i % 2 == 0 else "-", **look)
    axes.margins(x=0.02)
    end_at_one(axes)
    axes.legend(loc="lower right", fontsize=8)
