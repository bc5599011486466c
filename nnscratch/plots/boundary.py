"""Where a classifier of points in the plane changes its mind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.softmax import log_softmax
from nnscratch.metrics.classification import class_labels
from nnscratch.plots.colours import COLOURS, MARKERS, ink
from nnscratch.plots.images import names_of
from nnscratch.plots.panels import SMALL, panels
from nnscratch.training.evaluation import modes_kept

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIDE = 500  # the model is asked at so many places along the longer side
CHUNK = 10000  # places at once
PALEST, DARKEST = 0.06, 0.42  # how much of its colour a place has: by a guess, and by certainty
INCHES = 4.6  # of the longer side
MARGIN = 0.08  # around the points, as a share of the longer side


@checks_kinds
def plot_decision_boundary(
    model: Layer,
    x: Any,
    y: Any,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw what a classifier says of every place of the plane, and the points it is about.

    The background has the colour of the predicted class, the stronger the higher its
    probability; lines part the classes. A point has the colour and the marker of its true class,
    so that a mistake stands on another colour than its own.

    Parameters
    ----------
    model : Layer
        From (samples, 2) to scores (samples, classes), or (samples, 1): logits of class 1
        against class 0. It runs in evaluation mode and stays as it was.
    x : array (samples, 2)
    y : int array (samples,)
        The true classes.
    class_names : sequence of str, optional
        One for each class; their numbers unless given.
    title : str, optional
        The accuracy unless given.
    axes : Axes, optional
        Where to draw; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        x is not (samples, 2) or not finite, or empty; there is not one label for each sample, or
        a label without a class; the model returns something else than scores, or NaN.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Linear(2, 2, rng=0)
    >>> model.params["W"], model.params["b"] = [[-1, 0], [1, 0]], [0, 0]
    >>> figure = plot_decision_boundary(model, [[-1, 3], [2, 0], [1, 1]], [0, 1, 0])
    >>> figure.get_suptitle()
    'accuracy 0.6667: 2 of 3 right'
    """
    caller = "plot_decision_boundary"
    y = as_array(y)
    x = _points(caller, x, y)
    across, along = _grid(x)
    places = np.stack(np.meshgrid(across, along), axis=-1)
    log_p = _log_probabilities(model, places.reshape(-1, 2).astype(x.dtype))
    classes = log_p.shape[1]
    labels = class_labels(caller, "labels", y, classes)
    names = names_of(caller, class_names, classes)
    right = int((_log_probabilities(model, x).argmax(axis=1) == labels).sum())

    shape = len(along), len(across)
    log_p = log_p.reshape(*shape, classes)
    colours = _class_colours(classes)

    inches = INCHES * np.array(shape) / max(shape)
    size = max(inches[1], 3.6) + 0.7, max(inches[0], 2) + 0.8
    sheet = panels(caller, 1, 1, *size, axes)
    (axes,) = sheet.places
    ends = (across[0], across[-1], along[0], along[-1])
    background = _background(log_p, colours)
    axes.imshow(background, origin="lower", extent=ends, interpolation="nearest", aspect="equal")
    _draw_boundaries(axes, across, along, log_p)
    handles = _draw_points(axes, x, labels, names, colours)
    axes.set_xlim(ends[:2])
    axes.set_ylim(ends[2:])
    axes.set_xlabel("x₁")
    axes.set_ylabel("x₂")
    accuracy = f"accuracy {right / len(x):.4f}: {right} of {len(x)} right"
    if title:
        axes.set_title(accuracy, loc="right", fontsize=SMALL, color=ink(0.3))
    sheet.legend(handles)
    sheet.head(title or accuracy)
    return sheet.figure


def _points(caller: str, x: Any, y: Any) -> np.ndarray:
    """The points, checked, with as many labels."""
    x = floating(x)
    if x.ndim != 2 or x.shape[1] != 2 or len(x) == 0:
        raise ValueError(
            f"{caller} expected points (samples, 2), received {x.shape}; "
            "it draws a plane, choose two features to train on"
        )
    if not np.isfinite(x).all():
        raise ValueError(f"{caller} expected finite points, received NaN or infinity in x")
    if np.shape(y) != (len(x),):
        raise ValueError(
            f"{caller} expected one label for each of {len(x)} points, received {np.shape(y)}"
        )
    return x


def _background(log_p: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The colour of the predicted class at every place, darker where it is surer."""
    classes = log_p.shape[-1]
    p = np.exp(log_p.max(axis=-1))
    sure = (p - 1 / classes) / (1 - 1 / classes)
    share = (PALEST + (DARKEST - PALEST) * sure)[..., np.newaxis]
    return 1 - share * (1 - colours[log_p.argmax(axis=-1)])


def _draw_boundaries(axes: Axes, across: np.ndarray, along: np.ndarray, log_p: np.ndarray) -> None:
    """A line where a class is as probable as the best of the others."""
    classes = log_p.shape[-1]
    for k in range(classes if classes > 2 else 1):
        ahead = log_p[..., k] - np.delete(log_p, k, axis=-1).max(axis=-1)
        ahead = np.clip(ahead, -1e3, 1e3)
        if ahead.min() < 0 < ahead.max():  # else it is predicted nowhere, or everywhere
            axes.contour(across, along, ahead, [0], colors="0.25", linewidths=1)


def _draw_points(
    axes: Axes, x: np.ndarray, labels: np.ndarray, names: Sequence[str], colours: np.ndarray
) -> list[Any]:
    """The points with a marker for each class; what stands for them in the legend."""
    from matplotlib.lines import Line2D

    handles = []
    for k, name in enumerate(names):
        look: dict[str, Any] = {
            "color": colours[k],
            "marker": MARKERS[k % len(MARKERS)],
            "markeredgecolor": "white",
            "markeredgewidth": 0.6,
            "markersize": 6.5 if len(x) <= 500 else 4.5,
            "linestyle": "",
        }
        of_class = x[labels == k]
        axes.plot(of_class[:, 0], of_class[:, 1], **look)
        handles.append(Line2D([], [], label=name, **look))
    return handles


def _grid(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The places along both axes, equally far apart, with a margin around the points."""
    x = x.astype(np.float64)
    low, high = x.min(axis=0), x.max(axis=0)
    longer = float((high - low).max()) or 1.0
    low, high = low - MARGIN * longer, high + MARGIN * longer
    around = np.maximum(0, 0.3 * longer - (high - low)) / 2  # points on a line have a plane too
    low, high = low - around, high + around
    step = float((high - low).max()) / (SIDE - 1)
    counts = np.maximum(2, np.round((high - low) / step).astype(int) + 1)
    across, along = (np.linspace(a, b, n) for a, b, n in zip(low, high, counts, strict=True))
    return across, along


def _log_probabilities(model: Layer, x: np.ndarray) -> np.ndarray:
    """The logarithm of each class's probability, in evaluation mode, as (samples, classes)."""
    if not isinstance(model, Layer):
        raise ValueError(
            f"plot_decision_boundary expected a Layer, received {type(model).__name__}"
        )
    with modes_kept(model):
        model.eval()
        parts = [x[start : start + CHUNK] for start in range(0, len(x), CHUNK)]
        y = [model.forward_pass(part)[0] for part in parts]
    if any(part.ndim != 2 or 0 in part.shape for part in y):
        raise ValueError(
            "plot_decision_boundary expected scores (samples, classes) from the model, "
            f"received {y[0].shape} for {parts[0].shape}"
        )
    scores = np.concatenate(y).astype(np.float64)
    if np.isnan(scores).any():
        raise ValueError("plot_decision_boundary expected scores, received NaN from the model")
    if scores.shape[1] == 1:
        scores = np.concatenate([np.zeros_like(scores), scores], axis=1)
    return log_softmax(scores)


def _class_colours(classes: int) -> np.ndarray:
    """A colour for each class, as (classes, 3); their markers tell more classes apart."""
    from matplotlib.colors import to_rgb

    return np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(classes)])
