"""A function of one number, beside the points it was learned from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.plots.colours import COLOURS
from nnscratch.plots.panels import PANEL_INCHES, open_panel, panels
from nnscratch.training.evaluation import modes_kept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS = 501


@checks_kinds
def plot_fit(
    model: Layer,
    x: Any,
    y: Any,
    truth: Callable[[np.ndarray], np.ndarray] | None = None,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw a model of one input and one output as a curve, with the points (x, y).

    Parameters
    ----------
    model : Layer
        From (samples, 1) to (samples, 1). It runs in evaluation mode and stays as it was.
    x, y : array (samples, 1) or (samples,)
        What it was trained on. The curve goes a twentieth of their range beyond them.
    truth : function of an array, optional
        What the points were drawn from, as a dashed curve.
    title : str, optional
    axes : Axes, optional
        Where to draw; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        x and y are not one number for each sample, there is none, or the model returns another
        shape.

    Examples
    --------
    >>> import nnscratch as nn
    >>> x = np.array([[0.0], [1.0], [2.0]])
    >>> figure = plot_fit(nn.Sin(), x, np.sin(x), truth=np.sin)
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['samples', 'truth', 'model']
    """
    x, y = floating(x), floating(y)
    if x.size == 0 or not x.ndim or any(a.shape not in ((len(x),), (len(x), 1)) for a in (x, y)):
        raise ValueError(
            f"plot_fit expected one number in x and one in y for each sample, "
            f"received {x.shape} and {y.shape}"
        )
    if not isinstance(model, Layer):
        raise ValueError(f"plot_fit expected a Layer, received {type(model).__name__}")
    beyond = float(np.ptp(x)) / 20 or 0.5
    along = np.linspace(x.min() - beyond, x.max() + beyond, POINTS, dtype=x.dtype)[:, np.newaxis]
    with modes_kept(model):
        predicted, _ = model.eval().forward_pass(along)
    if predicted.shape != along.shape:
        raise ValueError(
            f"plot_fit expected the model to return {along.shape} for {along.shape}, "
            f"received {predicted.shape}"
        )
    sheet = panels("plot_fit", 1, 1, 1.5 * PANEL_INCHES[0], 1.1 * PANEL_INCHES[1], axes)
    (axes,) = sheet.places
    open_panel(axes, "x", "y")
    dots: dict[str, Any] = {"marker": "o", "linestyle": "", "markersize": 4, "alpha": 0.7}
    lines = axes.plot(x.ravel(), y.ravel(), color="0.55", label="samples", zorder=2, **dots)
    if truth is not None:
        look: dict[str, Any] = {"color": COLOURS[0], "linestyle": "--", "linewidth": 1.8}
        lines += axes.plot(along, _values(truth, along), label="truth", **look)
    lines += axes.plot(along, predicted, label="model", color=COLOURS[1], linewidth=2)
    axes.margins(x=0.01)
    sheet.legend(lines)
    sheet.head(title)
    return sheet.figure


def _values(truth: Callable[[np.ndarray], Any], along: np.ndarray) -> np.ndarray:
    """What a function is along the axis, or a ValueError where it gives something else."""
    try:
        values = np.asarray(truth(along), np.float64).reshape(along.shape)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"plot_fit expected truth as a function of an array {along.shape}, such as np.sin, "
            f"that gives one number for each; {error}"
        ) from error
    return values
