"""The loss of every step, which is that of one minibatch before its update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.plots.axes import drawable_points, use_log_scale, without_neighbours
from nnscratch.plots.colours import of_line
from nnscratch.plots.curves import FAINT
from nnscratch.plots.panels import PANEL_INCHES, note_left_out, open_panel, panels, say_empty
from nnscratch.plots.records import check_smoothing, names_of_runs, smoothed, steps_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@checks_kinds
def plot_steps(
    *histories: Any,
    labels: Sequence[str] | None = None,
    smoothing: float = 0.0,
    log: bool = False,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw the loss of each step of one or several runs.

    Beside the curve of the epochs it jumps: a step's loss is the mean over one minibatch, an
    epoch's over all of them.

    Parameters
    ----------
    *histories : History, or sequence of float
        What ``trainer.fit`` returns, ``history.steps``, or losses of a loop of one's own.
    labels : sequence of str, optional
        One per run; "run 1", "run 2", ... by default.
    smoothing : float in [0, 1)
        The share of the mean that remains at each step: an exponential moving average, with its
        bias towards the start taken out; 0.9 averages over about ten steps. The raw curve is then
        faint.
    log : bool
        Draw the loss on a logarithmic axis.
    title : str, optional
    axes : Axes, optional
        Where to draw; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        Values that are not finite (with `log` not positive) have no point; a note above the panel
        says how many.

    Raises
    ------
    ValueError
        There is no history, or one without steps; labels of another number; a smoothing out of
        range.

    Examples
    --------
    >>> figure = plot_steps([2.0, 1.0, 1.5], smoothing=0.5)
    >>> [line.get_ydata().round(2).tolist() for line in figure.axes[0].lines]
    [[2.0, 1.0, 1.5], [2.0, 1.33, 1.43]]
    >>> figure.axes[0].get_xlabel()
    'step (one minibatch each)'
    """
    caller = "plot_steps"
    if not histories:
        raise ValueError("plot_steps needs at least one history: plot_steps(history)")
    check_smoothing(caller, smoothing)
    curves = [steps_of(caller, given, f"argument {i}") for i, given in enumerate(histories, 1)]
    names = names_of_runs(caller, len(curves), labels)
    sheet = panels(caller, 1, 1, 1.5 * PANEL_INCHES[0], PANEL_INCHES[1], axes)
    (panel,) = sheet.places
    open_panel(panel, "step (one minibatch each)", "minibatch loss (mean per sample)")
    if log:
        use_log_scale(panel)
    lines, left_out, drawn = [], np.zeros(2, int), 0
    for i, (name, curve) in enumerate(zip(names, curves, strict=True)):
        finite, shown = drawable_points(curve, log)
        left_out += [int((~finite).sum()), int((finite & ~shown).sum())]
        drawn += int(shown.sum())
        step, points = np.arange(1, len(curve) + 1), np.where(shown, curve, np.nan)
        look: dict[str, Any] = {"color": of_line(i), "linewidth": 1.2}
        if smoothing:
            panel.plot(step, points, **look | {"alpha": FAINT, "linewidth": 0.8}, label="_raw")
            points = smoothed(points, smoothing)
        alone = [int(place) for place in np.flatnonzero(without_neighbours(shown))]
        marks: dict[str, Any] = {"marker": "o", "markersize": 4, "markevery": alone}
        lines += panel.plot(step, points, label=name or "training", **look, **marks)
    panel.margins(x=0.02)
    panel.locator_params(axis="x", integer=True)
    if not drawn:
        say_empty(panel, "no positive values" if left_out[1] else "no finite values")
    note_left_out(panel, int(left_out[0]), int(left_out[1]), smoothing)
    sheet.head(title)
    if len(curves) > 1:
        sheet.legend(lines)
    return sheet.figure
