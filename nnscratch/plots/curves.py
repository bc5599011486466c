"""From the numbers of training runs to a picture of their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.kinds import checks_kinds
from nnscratch.plots.axes import (
    drawable_points,
    end_at_one,
    show_epochs,
    use_log_scale,
    without_neighbours,
)
from nnscratch.plots.colours import COLOURS, MARKERS, ink, of_line
from nnscratch.plots.panels import (
    PANEL_INCHES,
    axes_of,
    note_left_out,
    open_panel,
    panels,
    say_empty,
)
from nnscratch.plots.records import Run, as_run, check_smoothing, names_of_runs, smoothed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

STYLES = {"train": "--", "valid": "-"}
NAMES = {"train": "train", "valid": "validation"}
QUANTITIES = {"loss": "loss (mean per sample)", "accuracy": "accuracy (share correct)"}
FAINT = 0.25  # how much is left of a raw curve's colour under the smoothed one

_FEW_EPOCHS = 15  # up to here every epoch has a marker

Curves = dict[str, NDArray[np.float64]]


@checks_kinds
def plot_history(
    *histories: Run | Any,
    labels: Sequence[str] | None = None,
    log: bool = False,
    title: str | None = None,
    quantities: Sequence[str] | str | None = None,
    smoothing: float = 0.0,
    test: Sequence[float | None] | None = None,
    axes: Any = None,
) -> Figure:
    """Draw loss and accuracy over the epochs of one or several training runs.

    The left panel is the loss, the right one the accuracy, if any run has one. Training is
    dashed, validation solid. Several runs have a colour each; from the ninth run on colours come
    again with other markers. For a single run the best validation loss is circled, and its value
    stands in the legend, below the panels.

    Parameters
    ----------
    *histories : History, mapping of str to list of float, or path
        Those of the columns ``train_loss``, ``valid_loss``, ``train_accuracy`` and
        ``valid_accuracy`` that are there, each with one value per epoch; of a path the run in
        that folder. Values that are not finite (or beyond 1e100) have no point; a note above the
        panel says how many.
    labels : sequence of str, optional
        One per run; "run 1", "run 2", ... by default.
    log : bool
        Draw the loss on a logarithmic axis. Values of 0 and below (or less than 1e-100) have no
        point there; a note above the panel says how many.
    title : str, optional
        Stands above the panels.
    quantities : sequence of str, optional
        A panel each: "loss", "accuracy", or a metric such as "f1", which has the columns train_f1
        and valid_f1. Loss and accuracy unless given, on a single Axes the loss.
    smoothing : float in [0, 1)
        How much of the mean remains at each epoch (see :func:`plot_steps`); the raw curves are
        then faint.
    test : (loss, accuracy), optional
        What ``nn.evaluate`` says of the test data: a line across each of these panels.
    axes : Axes, or sequence of Axes, optional
        Where to draw, one for each panel; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.savefig(path)`` saves it, two panels 1200 pixels wide.

    Raises
    ------
    ValueError
        No histories, one without epochs or without loss and accuracy, columns of different
        lengths, or labels of another number.

    Examples
    --------
    >>> run = {"train_loss": [0.9, 0.5, 0.3], "valid_loss": [0.8, 0.6, 0.7]}
    >>> figure = plot_history(run)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['train', 'validation', 'best validation loss: 0.6 (epoch 2)']
    """
    if not histories:
        raise ValueError("plot_history needs at least one history: plot_history(history)")
    check_smoothing("plot_history", smoothing)
    wanted = (quantities,) if isinstance(quantities, str) else tuple(quantities or QUANTITIES)
    runs = [_curves(number, history, wanted) for number, history in enumerate(histories, 1)]
    names = names_of_runs("plot_history", len(runs), labels)
    epochs = max(len(curve) for run in runs for curve in run.values())
    columns = {name for run in runs for name in run}
    drawn = [q for q in wanted if columns & {f"{part}_{q}" for part in STYLES}]
    if axes is not None and quantities is None and len(axes_of("plot_history", axes)) == 1:
        drawn = drawn[:1]
    width = PANEL_INCHES[0] * max(len(drawn), 1.35)
    sheet = panels("plot_history", len(drawn), len(drawn), width, PANEL_INCHES[1], axes)
    results = dict(zip(QUANTITIES, () if test is None else test, strict=False))
    handles = _legend_handles(runs, names, epochs)
    for panel, quantity in zip(sheet.places, drawn, strict=True):
        logarithmic = log and quantity == "loss"
        _draw_panel(panel, quantity, runs, names, epochs, logarithmic, smoothing)
        if quantity == "loss" and len(runs) == 1 and "valid_loss" in runs[0]:
            handles += _mark_best(panel, runs[0]["valid_loss"], log)
        if results.get(quantity) is not None:
            handles += _mark_test(panel, quantity, float(results[quantity] or 0))
    sheet.legend(handles)
    sheet.head(title)
    return sheet.figure


def _curves(number: int, history: Any, wanted: Sequence[str]) -> Curves:
    """Return the columns that are drawn, as arrays."""
    history = as_run("plot_history", history, f"argument {number}")
    present = set(history.keys())
    names = [f"{part}_{quantity}" for quantity in wanted for part in STYLES]
    curves = {name: np.array(history[name], np.float64) for name in names if name in present}
    if not any(curve.size for curve in curves.values()):
        raise ValueError(
            f"plot_history: history {number} has no epochs of {', '.join(names)}; "
            "train first, or leave it out"
        )
    shapes = {name: curve.shape for name, curve in curves.items()}
    if len(set(shapes.values())) > 1 or any(len(shape) != 1 for shape in shapes.values()):
        raise ValueError(
            f"plot_history: history {number} needs one number per epoch in each column, "
            f"received the shapes {shapes}"
        )
    return curves


def _draw_panel(
    axes: Axes,
    quantity: str,
    runs: list[Curves],
    names: list[str],
    epochs: int,
    log: bool,
    smoothing: float,
) -> None:
    open_panel(axes, "epoch", QUANTITIES.get(quantity, quantity))
    if log:
        use_log_scale(axes)
    else:
        axes.ticklabel_format(axis="y", useOffset=False)

    drawn = not_finite = not_positive = 0
    for index, run in enumerate(runs):
        for part in STYLES:
            if f"{part}_{quantity}" not in run:
                continue
            curve = run[f"{part}_{quantity}"]
            finite, shown = drawable_points(curve, log)
            drawn += int(shown.sum())
            not_finite += int((~finite).sum())
            not_positive += int((finite & ~shown).sum())
            points, look = np.where(shown, curve, np.nan), _look(index, part, len(runs), epochs)
            epoch = np.arange(1, len(curve) + 1)
            if smoothing:
                axes.plot(epoch, points, **look | {"alpha": FAINT, "marker": ""}, label="_raw")
                points = smoothed(points, smoothing)
            marked = _marked_epochs(shown, _has_markers(index, epochs))
            axes.plot(epoch, points, label=_label(names[index], part), markevery=marked, **look)

    show_epochs(axes, epochs)
    if quantity == "accuracy":
        end_at_one(axes)
    if not drawn:
        say_empty(axes, "no positive values" if not_positive else "no finite values")
    note_left_out(axes, not_finite, not_positive, smoothing=smoothing)


def _look(index: int, part: str, count: int, epochs: int) -> dict[str, Any]:
    """Return the properties of a line: a run has a colour, if it is alone each part has one."""
    colour = index if count > 1 else list(STYLES).index(part)
    return {
        "color": of_line(colour),
        "linestyle": STYLES[part],
        "linewidth": 1.5 if epochs <= 100 else 1.0,
        "marker": MARKERS[index // len(COLOURS) % len(MARKERS)],
        "markersize": 4,
    }


def _label(name: str, part: str) -> str:
    return f"{name}, {NAMES[part]}" if name else NAMES[part]


def _has_markers(index: int, epochs: int) -> bool:
    """Say if a curve has markers along it: epochs are few, or its colour is there already."""
    return epochs <= _FEW_EPOCHS or index >= len(COLOURS)


def _marked_epochs(shown: NDArray[np.bool_], along: bool) -> list[int]:
    """Return the places of the markers, always one where a point has no neighbour for a line."""
    marked = without_neighbours(shown)
    if along:
        marked[:: max(1, len(shown) // _FEW_EPOCHS)] = True
    return [int(place) for place in np.flatnonzero(marked)]


def _mark_best(axes: Axes, curve: NDArray[np.float64], log: bool) -> list[Line2D]:
    """Circle the lowest validation loss. Its value goes to the legend: there it covers nothing."""
    _, shown = drawable_points(curve, log)
    if not shown.any():
        return []
    epoch = int(np.argmin(np.where(shown, curve, np.inf))) + 1
    value = float(curve[epoch - 1])
    return axes.plot(
        [epoch],
        [value],
        label=f"best validation loss: {value:.4g} (epoch {epoch})",
        color=ink(),
        linestyle="",
        marker="o",
        markersize=9,
        markerfacecolor="none",
        clip_on=False,
        zorder=3,  # above the curves
    )


def _mark_test(axes: Axes, quantity: str, value: float) -> list[Line2D]:
    """A line across the panel at what was found on the test data."""
    style: dict[str, Any] = {"color": ink(0.25), "linestyle": ":", "linewidth": 1.5}
    return [axes.axhline(value, label=f"test {quantity}: {value:.4g}", **style)]


def _legend_handles(runs: list[Curves], names: list[str], epochs: int) -> list[Line2D]:
    """Return a line per run, then one per style; of a single run just a line per part."""
    from matplotlib.lines import Line2D

    parts = [part for part in STYLES if any(name.startswith(part) for run in runs for name in run)]
    handles = []
    for index, name in enumerate(names):
        for part in parts if len(runs) == 1 else ["valid"]:
            look = _look(index, part, len(runs), epochs)
            if not _has_markers(index, epochs):
                look["marker"] = ""
            label = _label(name, part) if len(runs) == 1 else name
            handles.append(Line2D([], [], label=label, **look))
    if len(runs) > 1:
        for part in parts:
            look = _look(0, part, len(runs), epochs) | {"color": ink(0.4), "marker": ""}
            handles.append(Line2D([], [], label=NAMES[part], **look))
    return handles
