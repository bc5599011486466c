"""How the numbers inside a net are spread, layer by layer: on the way forward and on the way back.

Activations that pile up at the ends of a sigmoid, units that are 0 for every sample, gradients
that shrink from layer to layer: all three are seen at a glance.
"""

from __future__ import annotations

import copy
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.inspection.observe import Use, observe
from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.plots.axes import LARGEST
from nnscratch.plots.colours import COLOURS, ink
from nnscratch.plots.panels import SMALL, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BINS = 80
MOST = 30  # layers
OUTSIDE = 0.001  # of the activations may be outside the axis, at either end
DECADES = 12  # below the largest gradient
WIDTH, HEIGHT = 9.6, 0.62  # inches: of the figure, of a layer


@checks_kinds
def plot_distributions(
    model: Layer, loss: Loss, x: Any, y: Any, title: str | None = None, axes: Any = None
) -> Figure:
    """Draw histograms of what every layer returns, and of the loss's gradient by it.

    One line for each layer, with the outputs at the left, the sizes of their gradients dL/dy at
    the right. All layers share an axis, that of the gradients is logarithmic: where they vanish,
    the hills move to the left from the last layer to the first. The highest bar of each histogram
    has the same height. Numbers that are exactly 0, as behind a ReLU, are counted beside it
    instead.

    Parameters
    ----------
    model : Layer
        A container inside it counts as one layer. A copy runs, in the mode that the model is in;
        the model itself stays as it was.
    loss : Loss
    x, y : arrays
        A batch of inputs and targets; a few hundred are enough.
    title : str, optional
    axes : Axes, or sequence of Axes, optional
        Where to draw: one for all of it, or two for each layer, outputs and gradients; a figure
        of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        Of layers that do no more than reshape there is nothing new to see; they are left out.
        Of more than 30 others as many are drawn, evenly chosen; a note above says so.

    Raises
    ------
    ValueError
        The model is no layer, or has none to draw; what x, y, model and loss raise themselves.

    References
    ----------
    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks
    (2010), figures 6 and 7.

    Examples
    --------
    >>> import nnscratch as nn
    >>> data = nn.load_dataset("digits")
    >>> model = nn.mlp([64, 20, 10], rng=0)
    >>> loss = nn.SoftmaxCrossEntropy()
    >>> figure = plot_distributions(model, loss, data.x_train[:200], data.y_train[:200])
    >>> [axes.get_ylabel() for axes in figure.axes[::2]]
    ['1 Linear(64, 20)', '2 ReLU()', '3 Linear(20, 10)']
    """
    if not isinstance(model, Layer):
        raise ValueError(f"plot_distributions expected a Layer, received {type(model).__name__}")
    uses = _uses(copy.deepcopy(model), loss, as_array(x), y)
    if not uses:
        raise ValueError(
            "plot_distributions expected a model with a layer that computes something, "
            f"received {model}"
        )
    there = len(uses)
    chosen = np.linspace(0, there - 1, min(MOST, there)).round().astype(int)
    names = [_title(uses[i]) for i in chosen]
    outputs = [_flat(uses[i].output).astype(np.float64) for i in chosen]
    sizes = [np.abs(_flat(uses[i].dy)).astype(np.float64) for i in chosen]
    spacing = {"h_pad": 0.02, "hspace": 0.0, "w_pad": 0.06}
    size = WIDTH, HEIGHT * len(names) + 1.0
    sheet = panels("plot_distributions", 2 * len(names), 2, *size, axes, **spacing)
    places = sheet.places
    edges = _edges(outputs), _log_edges(sizes)
    columns = ((outputs, edges[0], COLOURS[0]), (sizes, edges[1], COLOURS[1]))
    for column, (arrays, ends, colour) in enumerate(columns):
        own = places[column::2]
        for panel, array in zip(own, arrays, strict=True):
            _draw(panel, array, ends, colour)
            if column:
                panel.set_xscale("log")
                panel.xaxis.set_minor_formatter("")  # the powers of ten are enough
            panel.set_xlim(ends[0], ends[-1])
        for panel in own[:-1]:
            panel.tick_params(which="both", bottom=False, labelbottom=False)
    for panel, name in zip(places[::2], names, strict=True):
        look: dict[str, Any] = {"rotation": 0, "ha": "right", "va": "center", "fontsize": 9}
        panel.set_ylabel("\n".join(textwrap.wrap(name, 26)), parse_math=False, **look)
    whole = sheet.host is None  # else there is less room
    places[0].set_title("output y of the layer" if whole else "output y", fontsize=10)
    of_each = ", at each output of each sample" if whole else ""
    places[1].set_title(f"gradient |dL/dy|{of_each}", fontsize=10)
    sheet.head(f"{title or ''} ({MOST} of {there} layers)" if there > MOST else title)
    return sheet.figure


def _uses(model: Layer, loss: Loss, x: np.ndarray, y: Any) -> list[Use]:
    """The uses of the layers directly inside the model that do not only reshape."""
    with observe(model) as passes:
        prediction, cache = model.forward_pass(x)
        _, loss_cache = loss.forward_pass(prediction, y)
        model.backprop(loss.backward_pass(1.0, loss_cache), cache)
    whole = passes[0]
    inside = [use for use in passes if use.caller is whole] or [whole]
    return [use for use in inside if not np.array_equal(_flat(use.inputs), _flat(use.output))]


def _title(use: Use) -> str:
    text = repr(use.layer)
    return f"{use.where} {type(use.layer).__name__ if chr(10) in text else text}".strip()


def _flat(values: Any) -> np.ndarray:
    """All numbers of an array, or of several, in one row; 0 for None, where no gradient came."""
    parts = values if isinstance(values, tuple) else (values,)
    return np.concatenate([np.ravel(0 if part is None else part) for part in parts])


def _draw(axes: Axes, array: np.ndarray, edges: np.ndarray, colour: str) -> None:
    values = array.ravel()
    usable = np.abs(values) <= LARGEST  # False for NaN
    zero = values == 0
    drawn = values[usable & ~zero]
    counts, _ = np.histogram(drawn, edges)
    below, above = (drawn < edges[0]).sum() / values.size, (drawn > edges[-1]).sum() / values.size
    if counts.any():
        axes.stairs(counts / counts.max(), edges, color=colour, fill=True, alpha=0.8)
    axes.set_ylim(0, 1.15)
    axes.set_yticks([])
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("0.6")
    axes.grid(axis="x", color=ink(0.9), linewidth=0.8)
    axes.set_axisbelow(True)
    notes = [f"{zero.mean():.0%} are 0"] if zero.mean() >= 0.005 else []
    notes += [f"{(~usable).mean():.1%} not finite"] if not usable.all() else []
    notes += [f"{below:.0%} further left"] if below >= 0.02 else []
    notes += [f"{above:.0%} further right"] if above >= 0.02 else []
    if notes:
        where: dict[str, Any] = {"transform": axes.transAxes, "ha": "right", "va": "top"}
        axes.text(0.995, 0.95, "\n".join(notes), fontsize=SMALL, **where)


def _edges(arrays: list[np.ndarray]) -> np.ndarray:
    """Bins for all outputs, but for the few of each layer that are far out."""
    ends = []
    for array in arrays:
        values = array[np.abs(array) <= LARGEST]
        if values.size:
            low = np.quantile(values, OUTSIDE, method="lower")
            ends.append((low, np.quantile(values, 1 - OUTSIDE, method="higher")))
    low, high = (min(e[0] for e in ends), max(e[1] for e in ends)) if ends else (0.0, 1.0)
    low, high = min(low, 0.0), max(high, 0.0)
    if high == low:
        low, high = -1.0, 1.0
    return np.linspace(low, high, BINS + 1)


def _log_edges(sizes: list[np.ndarray]) -> np.ndarray:
    """Bins for all gradients of a size worth showing, equally wide on a logarithmic axis."""
    largest = max(float(s.max(initial=0, where=s <= LARGEST)) for s in sizes)
    if largest == 0:
        return np.geomspace(1e-8, 1, BINS + 1)
    lowest = []
    for size in sizes:
        values = size[(size > 0) & (size <= LARGEST)]
        if values.size:
            lowest.append(float(np.quantile(values, 0.01)))
    low = min(max(min(lowest), largest * 10.0**-DECADES), largest / 100)
    return np.geomspace(low, largest * 1.5, BINS + 1)
