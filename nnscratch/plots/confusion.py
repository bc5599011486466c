"""Which class was taken for which: the confusion matrix as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.metrics.classification import confusion_matrix
from nnscratch.plots.images import (
    GAP,
    HIGHEST_BAR,
    NORMAL,
    Sheet,
    bar_width,
    names_of,
)
from nnscratch.plots.panels import panels
from nnscratch.plots.texts import line_height, shortened, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WITH_COUNTS = 40  # classes for whose counts there is room
LONGEST = 170  # pixels of a name
MIDDLE, FINE = 6.5, 5.5  # letters of many classes and of very many, in points
SMALLEST_LINE = 10  # pixels from one name to the next
SHARES = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 1)  # the numbers of the colour bar


@checks_kinds
def plot_confusion(
    prediction: Any,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw the confusion matrix: true classes are rows, predicted ones columns.

    Cells hold counts, none where it is 0, and for more than 40 classes colours alone. Colours
    are the share of the row, on a scale that grows with its square root, so that 1 percent is
    seen. The recall of each class, its share that is right, stands at the right; where there are
    more than 120 classes, names and recalls are those of every second, third ... class.

    Parameters
    ----------
    prediction : array (samples, classes) or int array (samples,)
        Scores, of which the largest is the prediction, or the predicted labels. Without labels
        the matrix itself, as `nnscratch.confusion_matrix` counts it.
    labels : int array (samples,)
        The true ones.
    class_names : sequence of str, optional
        One for each class; their numbers unless given.
    title : str, optional
        The accuracy unless given; then that stands below.
    axes : Axes, optional
        Where to draw; a figure of its own unless given.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        As `nnscratch.metrics.confusion_matrix`; names of another number; no sample.

    Examples
    --------
    >>> figure = plot_confusion([0, 1, 1, 2], [0, 1, 2, 2], ["cat", "dog", "cow"])
    >>> figure.get_suptitle()
    'accuracy 0.7500: 3 of 4 right'
    """
    counts, names = _counted(prediction, labels, class_names)
    samples, right = int(counts.sum()), int(np.trace(counts))
    if samples == 0:
        raise ValueError("plot_confusion of no sample; pass at least one")
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    accuracy = f"accuracy {right / samples:.4f}: {right} of {samples} right"
    if axes is not None:
        return _draw_into(axes, counts, share, names, title or accuracy)
    note = accuracy if title else ""
    return _draw_figure(counts, share, names, title or accuracy, note)


def _counted(
    prediction: Any, labels: Any, class_names: Sequence[str] | None
) -> tuple[np.ndarray, list[str]]:
    """The matrix, from what it is counted from or as it is given; and a name for each class."""
    if labels is None:
        counts = as_array(prediction)
        square = counts.ndim == 2 and len(counts) == len(counts.T) > 0
        if not square or counts.dtype.kind not in "iu" or counts.min() < 0:
            raise ValueError(
                "plot_confusion without labels expected the matrix of confusion_matrix, whole "
                f"numbers (classes, classes), received {counts.dtype} {counts.shape}; pass the "
                "labels behind the prediction: plot_confusion(scores, labels)"
            )
        return counts, names_of("plot_confusion", class_names, len(counts))
    given = as_array(prediction)
    scored = given.shape[1] if given.ndim == 2 else None
    names = names_of("plot_confusion", class_names, scored)
    counts = confusion_matrix(prediction, labels, len(names) or None)
    return counts, names or names_of("plot_confusion", None, len(counts))


def _draw_figure(
    counts: np.ndarray, share: np.ndarray, names: Sequence[str], title: str, note: str
) -> Figure:
    """Draw the matrix into a figure of its own, as large as its cells and names want it."""
    from matplotlib.colors import PowerNorm

    cell, size = _cell(counts)
    names = [shortened(name, LONGEST, size) for name in names]
    longest = math.ceil(max(text_width(name, size) for name in names))
    flat = longest <= cell - 4  # the columns' names have room side by side
    side, above, label = cell * len(counts), line_height(size), line_height(NORMAL) + GAP
    left, below = longest + label + GAP, (above if flat else longest) + label + GAP
    at_right = math.ceil(text_width("recall", size)) + 2 * GAP
    width, height = left + side + at_right + bar_width(SHARES), above + side + below
    sheet = Sheet(width, height, title, note)

    panel = sheet.axes(left, above, side, side)
    image = panel.imshow(
        share, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest", aspect="auto"
    )
    marked = range(0, len(counts), math.ceil(SMALLEST_LINE / cell))
    _write_names(panel, marked, names, size, flat)
    sheet.write(left + side / 2, height, "predicted class", NORMAL, "center", "bottom")
    middle = above + side / 2
    sheet.write(0, middle, "true class", NORMAL, "left", "center", rotation=90)

    if len(counts) <= WITH_COUNTS:
        _write_counts(panel, counts, share, size)
    x = left + side + at_right - GAP
    sheet.write(x, above - 3, "recall", size, "right", "bottom")
    for k in marked:
        recall = f"{share[k, k]:.2f}" if counts[k].any() else "–"
        y = above + (k + 0.5) * cell
        sheet.write(x, y, recall, size, "right", "center_baseline")
    sheet.colour_bar(
        x + GAP, above, min(side, HIGHEST_BAR), image, SHARES, "share of the true class"
    )
    return sheet.figure


def _draw_into(
    axes: Any, counts: np.ndarray, share: np.ndarray, names: Sequence[str], title: str
) -> Figure:
    """Draw the matrix into axes that were given, with letters as large as its cells allow."""
    from matplotlib.colors import PowerNorm

    sheet = panels("plot_confusion", 1, 1, 0, 0, axes)
    (panel,) = sheet.places
    panel.imshow(share, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    room, classes = panel.get_window_extent(), len(counts)
    cell = 72 * min(room.width, room.height) / panel.figure.dpi / classes  # points
    digits = max(2, len(str(counts.max())))
    size = min(NORMAL, max(3.0, 1.4 * cell / digits))
    marked = range(0, classes, math.ceil(1.2 * size / cell))
    letters = min(NORMAL, max(size, FINE))
    _write_names(panel, marked, [shortened(name, LONGEST, letters) for name in names], letters)
    if classes <= WITH_COUNTS:
        _write_counts(panel, counts, share, size)
    panel.set_xlabel("predicted class", fontsize=NORMAL)
    panel.set_ylabel("true class", fontsize=NORMAL)
    sheet.head(title)
    return sheet.figure


def _write_counts(axes: Axes, counts: np.ndarray, share: np.ndarray, size: float) -> None:
    """The numbers in their cells, light on dark ones."""
    for i, j in np.argwhere(counts):
        colour = "white" if share[i, j] > 0.4 else "black"
        look: dict[str, Any] = {"color": colour, "ha": "center", "va": "center_baseline"}
        axes.text(j, i, str(counts[i, j]), fontsize=size, **look)


def _write_names(
    axes: Axes,
    marked: Sequence[int],
    names: Sequence[str],
    size: float,
    flat: bool = False,
) -> None:
    """The classes' names along both sides."""
    some = [names[k] for k in marked]
    axes.set_xticks(marked, labels=some, rotation=0 if flat else 90, parse_math=False)
    axes.set_yticks(marked, labels=some, parse_math=False)
    axes.tick_params(length=0, labelsize=size, pad=3)
    axes.spines[:].set(color="0.6", linewidth=0.5)


def _cell(counts: np.ndarray) -> tuple[int, float]:
    """The side of a cell in pixels, and the size of the letters."""
    classes = len(counts)
    digits = text_width(str(counts.max()), 1.0)
    if classes <= 12:
        return max(46, 180 // classes, math.ceil(NORMAL * digits) + 8), NORMAL
    if classes <= WITH_COUNTS:
        return max(28, math.ceil(MIDDLE * digits) + 6), MIDDLE
    return max(1, min(12, 1200 // classes)), FINE
