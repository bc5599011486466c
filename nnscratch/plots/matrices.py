"""Matrices as fields of colour: attention weights, or probabilities along a sequence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.plots.colours import colour_map, drawable, largest
from nnscratch.plots.panels import panels
from nnscratch.plots.texts import DPI, shortened

if TYPE_CHECKING:
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Names = Sequence[str] | None

CELL = 0.16  # inches, so that a letter fits beside each
LONGEST = 90  # rows or columns, beyond which letters would not be legible
TITLE, LEAST = 46, 60  # pixels that a name is high, with its margins, and at least wide


@checks_kinds
def plot_matrices(
    matrices: Mapping[str, Any],
    rows: str | Sequence[str] | Mapping[str, Any] | None = None,
    columns: str | Sequence[str] | Mapping[str, Any] | None = None,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw matrices below one another, dark where the numbers are large.

    Parameters
    ----------
    matrices : mapping of str to array (rows, columns)
        By the panel's name; numbers of at least 0, such as probabilities. All share one scale of
        colours, from 0 to the largest of them.
    rows, columns : sequence of str, or mapping of panel to them, optional
        What to write beside each row and below each column, such as the characters of a text.
    title : str, optional
    axes : Axes, or sequence of Axes, optional
        Where to draw, one for each panel; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        There is no matrix, their shapes differ, one has more than 90 rows or columns, or there are
        not as many names.

    Examples
    --------
    >>> import numpy as np
    >>> figure = plot_matrices({"head 0": np.eye(3)}, rows="abc", columns="abc")
    >>> len(figure.axes)
    2
    """
    arrays = {str(name): as_array(matrix).astype(float) for name, matrix in matrices.items()}
    shapes = [array.shape for array in arrays.values()]
    shape = shapes[0] if len(set(shapes)) == 1 else ()
    if len(shape) != 2 or not 0 < min(shape) <= max(shape) <= LONGEST:
        raise ValueError(
            "plot_matrices expected matrices of one shape, of at most "
            f"{LONGEST} rows and columns, received {shapes or 'none'}"
        )
    width, height = max(4.0, shape[1] * CELL + 1.6), len(arrays) * (shape[0] * CELL + 0.6) + 0.4
    sheet = panels("plot_matrices", len(arrays), 1, width, height, axes)
    top = max(largest(array) for array in arrays.values())
    # cells are squares: what is high and narrow leaves little room for its name
    tall = DPI * height / len(arrays) - TITLE if sheet.host is None else math.inf
    room = min(sheet.places[0].get_window_extent().width, max(LEAST, tall * shape[1] / shape[0]))
    for panel, (name, array) in zip(sheet.places, arrays.items(), strict=True):
        image = panel.imshow(
            drawable(array), colour_map("Blues"), vmin=0, vmax=top, interpolation="nearest"
        )
        for axis, names, count in (
            (panel.yaxis, rows, len(array)),
            (panel.xaxis, columns, array.shape[1]),
        ):
            _write(axis, names.get(name) if isinstance(names, Mapping) else names, count)
        panel.tick_params(length=0)
        panel.set_title(shortened(name, room, 10), fontsize=10, loc="left", parse_math=False)
    shrink = min(1.0, 1.5 / height) if sheet.host is None else 1.0
    sheet.figure.colorbar(image, ax=sheet.places, shrink=shrink, aspect=12)
    sheet.head(title)
    return sheet.figure


def _write(axis: Axis, names: Names, count: int) -> None:
    """A name at each place of an axis; none at all for None."""
    if names is None:
        axis.set_ticks([])
        return
    many = len(names) if isinstance(names, Sequence) else None
    if many != count:
        raise ValueError(
            f"plot_matrices expected {count} names, received "
            + (f"{names!r:.60}" if many is None else f"{many}: {names!r:.200}")
        )
    axis.set_ticks(range(count), [_visible(each) for each in names], fontsize=7)


def _visible(character: str) -> str:
    """A sign for what would leave its place empty, and no mathematics."""
    return {" ": "␣", "\n": "¶", "$": r"\$"}.get(character, character)
