"""The same images after several treatments, one below the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nnscratch.kinds import checks_kinds
from nnscratch.plots.colours import brightness, not_finite, picture
from nnscratch.plots.images import GAP, NORMAL, WIDEST, Sheet, as_images, enlarged
from nnscratch.plots.texts import shortened, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 24  # images in a row
LONGEST = 200  # pixels of a row's name


@checks_kinds
def plot_image_rows(rows: Mapping[str, Any], title: str | None = None, axes: Any = None) -> Figure:
    """Draw rows of images, such as inputs above what an autoencoder makes of them.

    Parameters
    ----------
    rows : mapping of str to array (count, channels, height, width)
        By the row's name. Black and white are those of the first row, for all of them.
    title : str, optional
    axes : Axes, optional
        Whose place the pictures then share; a figure of their own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        At most 24 images of each row, and no more than have room; a note below the title says
        how many there are.

    Raises
    ------
    ValueError
        There is no row, what is in it is no images, or the rows have different shapes.

    Examples
    --------
    >>> import nnscratch as nn
    >>> x = nn.load_dataset("digits").x_test[:6]
    >>> figure = plot_image_rows({"digit": x, "negative": 1 - x})
    >>> len(figure.axes)
    12
    """
    images = {str(name): as_images("plot_image_rows", row) for name, row in rows.items()}
    shapes = {name: row.shape for name, row in images.items()}
    if len(set(shapes.values())) != 1:
        raise ValueError(
            "plot_image_rows expected rows of one shape, "
            f"received {shapes or 'none; pass a mapping of names to images'}"
        )
    first = next(iter(images.values()))
    limits, size = brightness(first), enlarged(first.shape[2:], 72)
    names = [shortened(name, LONGEST, NORMAL) for name in images]
    left = math.ceil(max(text_width(name, NORMAL) for name in names)) + 2 * GAP
    count = min(len(first), MOST, max(1, (WIDEST - left) // (size[1] + GAP)))
    notes = [f"the first {count} of {len(first)} images"] if count < len(first) else []
    notes += [not_finite(row[:count]) for row in images.values()]
    sheet = Sheet(
        left + count * (size[1] + GAP) - GAP,
        len(images) * (size[0] + GAP) - GAP,
        title or "",
        "; ".join(filter(None, notes)),
        axes,
        "plot_image_rows",
    )
    for i, (name, row) in enumerate(zip(names, images.values(), strict=True)):
        top = i * (size[0] + GAP)
        sheet.write(left - 2 * GAP, top + size[0] / 2, name, NORMAL, "right", "center")
        for k in range(count):
            x = left + k * (size[1] + GAP)
            sheet.show(x, top, size, picture(row[k], limits), limits)
    return sheet.figure
