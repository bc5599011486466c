"""From a learning-rate range test to its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.plots.axes import drawable_points
from nnscratch.plots.colours import COLOURS
from nnscratch.plots.panels import PANEL_INCHES, note_left_out, open_panel, panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Found(Protocol):
    """A `nnscratch.training.range_test.RangeTest`."""

    @property
    def rates(self) -> np.ndarray: ...
    @property
    def losses(self) -> np.ndarray: ...
    @property
    def smoothed(self) -> np.ndarray: ...
    @property
    def suggestion(self) -> float | None: ...


@checks_kinds
def plot_range_test(found: Found, title: str | None = None, axes: Any = None) -> Figure:
    """Draw the loss over the learning rates of a range test.

    Parameters
    ----------
    found : RangeTest
        What `learning_rate_range_test` returned.
    title : str, optional
        Stands above the panel.
    axes : Axes, optional
        Where to draw; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        The losses are faint, their means over neighbouring steps a line; the rate that is suggested
        is marked. The losses at the end, where they grow beyond all others, may leave the panel.

    Examples
    --------
    >>> import numpy as np
    >>> from nnscratch.training.range_test import RangeTest
    >>> rates, losses = np.geomspace(1e-3, 1, 4), np.array([2.0, 1.9, 1.0, 3.0])
    >>> figure = plot_range_test(RangeTest(rates, losses, losses, 0.05, "by eye"))
    >>> figure.axes[0].get_xscale()
    'log'
    """
    if not hasattr(found, "smoothed") or not len(found.rates):
        raise ValueError(
            f"plot_range_test expected what learning_rate_range_test returned, received "
            f"{type(found).__name__}"
        )
    width, height = PANEL_INCHES
    sheet = panels("plot_range_test", 1, 1, 1.35 * width, height, axes)
    (axes,) = sheet.places
    open_panel(axes, "learning rate", "loss (mean per sample)")
    axes.set_xscale("log")
    axes.grid(which="minor", axis="x", visible=False)
    losses = np.asarray(found.losses, float)
    finite, shown = drawable_points(losses, log=False)
    handles = axes.plot(
        found.rates, np.where(shown, losses, np.nan), color="0.75", linewidth=0.8, label="each step"
    )
    handles += axes.plot(
        found.rates, found.smoothed, color=COLOURS[0], label="mean over neighbouring steps"
    )
    if found.suggestion is not None:
        value = np.interp(np.log(found.suggestion), np.log(found.rates), found.smoothed)
        label = f"suggested: {found.suggestion:.2g}"
        handles += axes.plot(
            [found.suggestion], [value], "o", color=COLOURS[1], label=label, markersize=7
        )
    axes.set_ylim(*_limits(np.asarray(found.smoothed, float), losses[shown]))
    note_left_out(axes, int((~finite).sum()))
    sheet.legend(handles)
    sheet.head(title)
    return sheet.figure


def _limits(smoothed: np.ndarray, losses: np.ndarray) -> tuple[float, float]:
    """What is seen: all up to somewhat above where the losses began."""
    low, first = min(smoothed.min(), losses.min(initial=np.inf)), smoothed[0]
    top = min(max(smoothed.max(), losses.max(initial=-np.inf)), first + 0.5 * (first - low))
    top = max(top, losses[: max(1, len(losses) // 4)].max(initial=first))
    margin = 0.05 * (top - low) or 0.5
    return low - margin, top + margin
