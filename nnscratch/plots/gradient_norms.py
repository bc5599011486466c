"""How large the gradient of every layer is, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.plots.axes import drawable_points, use_log_scale, without_neighbours
from nnscratch.plots.panels import (
    PANEL_INCHES,
    note_left_out,
    open_panel,
    panels,
    say_empty,
)
from nnscratch.plots.records import rising_steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SMOOTHED = 60  # recorded steps from which on a mean is drawn instead of the noise
LIGHTEST = 0.85  # of viridis; what comes behind is too yellow on white
STYLES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1.5, 1.5)))


class Recorded(Protocol):
    """What a diagnosed run wrote down, ``history.diagnosis``."""

    @property
    def layers(self) -> Sequence[str]: ...
    @property
    def steps(self) -> np.ndarray: ...
    @property
    def gradient_norm(self) -> np.ndarray: ...


@checks_kinds
def plot_gradient_norms(
    norms: Mapping[str, Any] | Recorded,
    steps: Any = None,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw the norm of every layer's gradient over the steps, on a logarithmic axis.

    Layers are dark to light from the first to the last. Healthy lines run within a few powers of
    ten of each other; where the dark ones lie far below, gradients vanish on their way back.

    Parameters
    ----------
    norms : mapping of str to array (records,), Diagnosis or History
        For each layer, in the order of the data's path, the norms ‖dL/dW‖ of the steps. What
        ``Trainer(..., diagnose=True)`` leaves in ``history.diagnosis`` is such a record.
    steps : int array (records,), optional
        The step of each record, rising; 0, 1, 2, ... unless given.
    title : str, optional
    axes : Axes, optional
        Where to draw; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        Of 60 and more records the geometric mean of neighbouring ones is drawn, in a band of
        one standard deviation. Norms of 0, and those that are not finite, have no
        point; a note above the panel says how many.

    Raises
    ------
    ValueError
        There is no layer or no record, the lengths differ, or the steps do not rise.

    Examples
    --------
    >>> figure = plot_gradient_norms({"1 Linear": [0.5, 0.2], "3 Linear": [0.9, 0.4]})
    >>> [line.get_label() for line in figure.axes[0].lines]
    ['1 Linear', '3 Linear']

    In a loop of one's own, a list for each layer:

    >>> import nnscratch as nn
    >>> norms = {"0.W": [], "2.W": []}
    >>> grads = {"0.W": np.ones((3, 3)), "2.W": np.ones((2, 2))}  # of model.backward(dy)
    >>> for name in norms:
    ...     norms[name].append(np.linalg.norm(grads[name]))
    >>> norms
    {'0.W': [np.float64(3.0)], '2.W': [np.float64(2.0)]}
    """
    from matplotlib import colormaps
    from matplotlib.lines import Line2D

    names, curves, steps = _curves(norms, steps)
    size = 1.7 * PANEL_INCHES[0], 1.1 * PANEL_INCHES[1]
    sheet = panels("plot_gradient_norms", 1, 1, *size, axes)
    (axes,) = sheet.places
    open_panel(axes, "step", "‖dL/dW‖")
    use_log_scale(axes)
    drawn = not_finite = not_positive = 0
    handles = []
    for i, (name, curve) in enumerate(zip(names, curves, strict=True)):
        finite, shown = drawable_points(curve, log=True)
        drawn += int(shown.sum())
        not_finite += int((~finite).sum())
        not_positive += int((finite & ~shown).sum())
        look: dict[str, Any] = {
            "color": colormaps["viridis"](LIGHTEST * i / max(1, len(names) - 1)),
            "linestyle": STYLES[i % len(STYLES)],
            "linewidth": 1.8,
        }
        alone = [int(place) for place in np.flatnonzero(without_neighbours(shown))]
        points = np.where(shown, curve, np.nan)
        if len(steps) >= SMOOTHED:
            points, spread = _smoothed(points)
            band = points / spread, points * spread
            axes.fill_between(steps, *band, color=look["color"], alpha=0.2, linewidth=0)
        axes.plot(steps, points, label=name, marker="o", markersize=4, markevery=alone, **look)
        marker = "o" if alone else ""
        handles.append(Line2D([], [], label=name, marker=marker, markersize=4, **look))
    axes.margins(x=0.02)
    axes.locator_params(axis="x", integer=True)
    if not drawn:
        say_empty(axes, "no positive values" if not_positive else "no finite values")
    note_left_out(axes, not_finite, not_positive)
    sheet.legend(handles)
    sheet.head(title)
    return sheet.figure


def _curves(
    norms: Mapping[str, Any] | Recorded, steps: Any
) -> tuple[list[str], list[np.ndarray], np.ndarray]:
    if not isinstance(norms, Mapping):
        norms = getattr(norms, "diagnosis", None) or norms  # of a History
        if not hasattr(norms, "gradient_norm"):
            raise ValueError(
                "plot_gradient_norms expected a mapping of layers to norms, or the diagnosis of a "
                f"run, received {type(norms).__name__}; train with Trainer(..., diagnose=True) "
                "and pass history.diagnosis"
            )
        steps = norms.steps if steps is None else steps
        norms = dict(zip(norms.layers, norms.gradient_norm.T, strict=True))
    curves = [np.array(curve, np.float64) for curve in norms.values()]
    shapes = [curve.shape for curve in curves]
    if not curves or len(set(shapes)) > 1 or len(shapes[0]) != 1 or shapes[0] == (0,):
        raise ValueError(
            "plot_gradient_norms expected equally many norms, at least one, for each layer, "
            f"received the shapes {dict(zip(norms, shapes, strict=True))}"
        )
    steps = rising_steps("plot_gradient_norms", steps, len(curves[0]))
    return [str(name) for name in norms], curves, steps


def _smoothed(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The geometric mean and standard deviation around each point; gaps stay gaps."""
    window = np.ones(max(3, len(points) // 25))
    there = np.isfinite(points)
    counts = np.maximum(1, np.convolve(there, window, mode="same"))
    logs = np.where(there, np.log(np.where(there, points, 1)), 0)
    mean = np.convolve(logs, window, mode="same") / counts
    squares = np.convolve(np.where(there, logs - mean, 0) ** 2, window, mode="same") / counts
    return np.where(there, np.exp(mean), np.nan), np.exp(np.sqrt(squares))
