"""From the numbers of training runs to a picture of their curves."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from nnscratch.plots.axes import (
    drawable_points,
    end_at_one,
    show_epochs,
    use_log_scale,
    without_neighbours,
)
from nnscratch.plots.colours import COLOURS, MARKERS
from nnscratch.plots.legend import legend_below
from nnscratch.plots.panels import PANEL_INCHES, head, note_left_out, open_panel, panels, say_empty

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

STYLES = {"train": "--", "valid": "-"}
NAMES = {"train": "train", "valid": "validation"}
QUANTITIES = {"loss": "loss (mean per sample)", "accuracy": "accuracy (share correct)"}

_FEW_EPOCHS = 15  # up to here every epoch has a marker


class Run(Protocol):
    """A :class:`nnscratch.training.history.History`, or any mapping of names to lists."""

    def keys(self) -> Iterable[str]: ...
    def __getitem__(self, column: str, /) -> Sequence[float]: ...


Curves = dict[str, NDArray[np.float64]]


def plot_history(
    *histories: Run,
    labels: Sequence[str] | None = None,
    log: bool = False,
    title: str | None = None,
) -> "Figure":
    """Draw loss and accuracy over the epochs of one or several training runs.

    The left panel is the loss, the right one the accuracy, if any run has one. Training is
    dashed, validation solid. Several runs have a colour each; from the ninth run on colours come
    again with other markers. For a single run the best validation loss is circled, and its value
    stands in the legend, below the panels.

    Parameters
    ----------
    *histories : History or mapping of str to list of float
        Those of the columns ``train_loss``, ``valid_loss``, ``train_accuracy`` and
        ``valid_accuracy`` that are there, each with one value per epoch. Values that are not
        finite (or beyond 1e100) have no point; a note above the panel says how many.
    labels : sequence of str, optional
        One per run; "run 1", "run 2", ... by default.
    log : bool
        Draw the loss on a logarithmic axis. Values of 0 and below (or less than 1e-100) have no
        point there; a note above the panel says how many.
    title : str, optional
        Stands above the panels.

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
    runs = [_curves(number, history) for number, history in enumerate(histories, 1)]
    names = _run_names(len(runs), labels)
    epochs = max(len(curve) for run in runs for curve in run.values())
    columns = {name for run in runs for name in run}
    quantities = [q for q in QUANTITIES if any(name.endswith(q) for name in columns)]
    width = PANEL_INCHES[0] * max(len(quantities), 1.35)
    figure, places = panels(1, len(quantities), width, PANEL_INCHES[1])
    for axes, quantity in zip(places, quantities, strict=True):
        _draw_panel(axes, quantity, runs, names, epochs, log and quantity == "loss")
    best = []
    if len(runs) == 1 and "valid_loss" in runs[0]:
        best = _mark_best(places[0], runs[0]["valid_loss"], log)
    legend_below(figure, _legend_handles(runs, names, epochs) + best)
    head(figure, title)
    return figure


def _curves(number: int, history: Run) -> Curves:
    """Return the columns that are drawn, as arrays."""
    if not hasattr(history, "keys"):
        raise ValueError(
            f"plot_history: argument {number} is a {type(history).__name__}, not a History or a "
            "mapping of lists; pass several histories one by one, plot_history(*histories)"
        )
    present = set(history.keys())
    names = [f"{part}_{quantity}" for quantity in QUANTITIES for part in STYLES]
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


def _run_names(count: int, labels: Sequence[str] | None) -> list[str]:
    if labels is None:
        return [f"run {number}" for number in range(1, count + 1)] if count > 1 else [""]
    if isinstance(labels, str) or len(labels) != count:
        raise ValueError(
            f"plot_history: {count} histories need a list of {count} labels, received {labels!r}"
        )
    return [str(label) for label in labels]


def _draw_panel(
    axes: "Axes", quantity: str, runs: list[Curves], names: list[str], epochs: int, log: bool
) -> None:
    open_panel(axes, "epoch", QUANTITIES[quantity])
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
            axes.plot(
                np.arange(1, len(curve) + 1),
                np.where(shown, curve, np.nan),
                label=_label(names[index], part),
                markevery=_marked_epochs(shown, _has_markers(index, epochs)),
                **_look(index, part, len(runs), epochs),
            )

    show_epochs(axes, epochs)
    if quantity == "accuracy":
        end_at_one(axes)
    if not drawn:
        say_empty(axes, "no positive values" if not_positive else "no finite values")
    note_left_out(axes, not_finite, not_positive)


def _look(index: int, part: str, count: int, epochs: int) -> dict[str, Any]:
    """Return the properties of a line: a run has a colour, if it is alone each part has one."""
    colour = index if count > 1 else list(STYLES).index(part)
    return {
        "color": COLOURS[colour % len(COLOURS)],
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


def _mark_best(axes: "Axes", curve: NDArray[np.float64], log: bool) -> "list[Line2D]":
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
        color="black",
        linestyle="",
        marker="o",
        markersize=9,
        markerfacecolor="none",
        clip_on=False,
        zorder=3,  # above the curves
    )


def _legend_handles(runs: list[Curves], names: list[str], epochs: int) -> "list[Line2D]":
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
            look = _look(0, part, len(runs), epochs) | {"color": "0.4", "marker": ""}
            handles.append(Line2D([], [], label=NAMES[part], **look))
    return handles
