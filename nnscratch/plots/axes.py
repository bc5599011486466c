"""The axes of a panel: what they can show, where they end, and which ticks they have."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST = 1e100  # matplotlib's ticks and margins overflow far beyond


def drawable_points(
    curve: NDArray[np.float64], log: bool
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which values are finite, and which of them have a point."""
    finite = np.abs(curve) <= LARGEST  # False for NaN
    return finite, finite & (curve >= 1 / LARGEST) if log else finite


def without_neighbours(shown: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Say which points have no neighbour for a line: only a marker makes them visible."""
    beside = np.pad(shown, 1)
    return shown & ~beside[:-2] & ~beside[2:]


def show_epochs(axes: "Axes", epochs: int) -> None:
    """Let the horizontal axis show the epochs 1 to ``epochs``, with ticks at whole ones."""
    from matplotlib.ticker import MaxNLocator

    margin = min(0.5, 0.03 * epochs)  # wider ones would have ticks of epochs that are not there
    axes.set_xlim(1 - margin, epochs + margin)
    axes.xaxis.set_major_locator(
        MaxNLocator(nbins=8, steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    )


def use_log_scale(axes: "Axes") -> None:
    from matplotlib.ticker import LogFormatter

    class PlainNumbers(LogFormatter):
        """Label the ticks that matplotlib would, but 0.52 instead of 5.2 times a power of 10."""

        def __call__(self, x: float, pos: int | None = None) -> str:
            return f"{x:.10g}" if super().__call__(x, pos) else ""

    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(PlainNumbers())  # labelled where the axis spans few decades


def end_at_one(axes: "Axes") -> None:
    """Cut the margins of a share: above 1 and below 0 there is room for a line, not for a tick."""
    bottom, top = axes.get_ylim()
    low, high = axes.dataLim.intervaly
    margin = 0.01 * (top - bottom)
    axes.set_ylim(
        max(bottom, -margin) if low >= 0 else bottom, min(top, 1 + margin) if high <= 1 else top
    )
