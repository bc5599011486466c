"""What a model says of images, its mistakes first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.softmax import log_softmax
from nnscratch.metrics.classification import class_labels, predicted_classes
from nnscratch.plots.colours import WRONG, brightness, ink, picture
from nnscratch.plots.images import (
    GAP,
    NORMAL,
    Sheet,
    as_images,
    enlarged,
    names_of,
    per_line,
)
from nnscratch.plots.texts import line_height, shortened, text_width

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDEST_TEXT = 170  # pixels above an image


@checks_kinds
def plot_predictions(
    images: Any,
    prediction: Any,
    labels: Any,
    class_names: Sequence[str] | None = None,
    count: int = 25,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw images with what was predicted: the most confident mistakes, then the closest hits.

    A mistake has a thick orange frame, ✗ and the true class; a hit has ✓ and a thin frame. With
    scores the probability of the prediction stands beside it, and mistakes are in the order of
    falling, hits in the order of rising probability; labels are in the order they came in.

    Parameters
    ----------
    images : array (samples, channels, height, width)
    prediction : array (samples, classes) or int array (samples,)
        Logits or log-probabilities, of which the softmax is the probability; probabilities
        themselves, which are known by rows that sum to 1; or the predicted labels.
    labels : int array (samples,)
        The true ones.
    class_names : sequence of str, optional
        One for each class; their numbers unless given.
    count : int
        How many images to draw at most.
    title : str, optional
    axes : Axes, optional
        Whose place the pictures then share; a figure of their own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        The note below the title says how many there are and how many are wrong.

    Raises
    ------
    ValueError
        The lengths differ, a label is none of the classes, a score is NaN, count is not
        positive.

    Examples
    --------
    >>> images = np.zeros((3, 1, 8, 8))
    >>> logits = [[9.0, 0.0], [1.0, 0.0], [0.0, 2.0]]
    >>> figure = plot_predictions(images, logits, [0, 1, 1], ["cat", "dog"])
    >>> [axes.get_title() for axes in figure.axes]
    ['✗ cat, 73%\\ntrue: dog', '✓ dog, 88%', '✓ cat, 100%']
    """
    caller = "plot_predictions"
    images = as_images(caller, images)
    predicted, classes = predicted_classes(caller, prediction, labels)
    _check_counts(caller, len(images), len(predicted), count)
    names = names_of(caller, class_names, classes)
    classes = classes or len(names) or None
    labels = class_labels(caller, "labels", labels, classes)
    predicted = class_labels(caller, "predicted labels", predicted, classes)
    names = names or names_of(caller, None, 1 + int(max(labels.max(), predicted.max())))
    sure = _confidence(np.asarray(prediction))
    right = predicted == labels
    order = np.lexsort((np.where(right, sure, -sure), right))  # stable: equal ones as they came
    chosen = order[:count]
    scored = np.ndim(prediction) == 2
    texts = [
        _text(names[predicted[i]], names[labels[i]], right[i], sure[i] if scored else None)
        for i in chosen
    ]
    wrong = len(right) - np.count_nonzero(right)
    note = f"{len(chosen)} of {len(images)} shown, {wrong} wrong"
    heads = title or "Predictions, mistakes first", note
    return _drawn(caller, images[chosen], texts, right[chosen], heads, axes)


def _drawn(
    caller: str,
    images: np.ndarray,
    texts: Sequence[str],
    right: np.ndarray,
    heads: tuple[str, str],
    axes: Any,
) -> Figure:
    """The images in lines, each below its text; `heads` are the title and the note."""
    limits, size = brightness(images), enlarged(images.shape[2:], 96)
    widest = max(text_width(line, NORMAL) for text in texts for line in text.split("\n"))
    width = max(size[1], math.ceil(widest)) + 2 * GAP
    above = line_height(NORMAL) * max(text.count("\n") + 1 for text in texts) + GAP
    height = above + size[0] + GAP
    columns = per_line(len(images), width, height)
    lines = -(-len(images) // columns)
    sheet = Sheet(columns * width, lines * height, *heads, axes, caller)
    for i, text in enumerate(texts):
        left = i % columns * width + (width - size[1]) / 2
        top = i // columns * height + above
        image = sheet.show(round(left), top, size, picture(images[i], limits), limits)
        colour = ink() if right[i] else WRONG
        letters: dict[str, Any] = {
            "fontsize": sheet.points(NORMAL),
            "color": colour,
            "parse_math": False,
        }
        image.axes.set_title(text, pad=4, **letters)
        if not right[i]:
            image.axes.spines[:].set(color=WRONG, linewidth=2.5)
    return sheet.figure


def _check_counts(caller: str, images: int, predicted: int, count: int) -> None:
    if images != predicted:
        raise ValueError(
            f"{caller} expected one prediction for each of {images} images, received {predicted}"
        )
    if index(count) < 1:
        raise ValueError(f"{caller} expected a count of at least 1, received {count}")


def _confidence(prediction: np.ndarray) -> np.ndarray:
    """The probability of each prediction; 1 for labels, which say nothing of it."""
    if prediction.ndim == 1:
        return np.ones(len(prediction))
    scores = prediction.astype(np.float64)
    if (scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, rtol=0, atol=1e-3):
        return scores.max(axis=1)
    return np.exp(log_softmax(scores).max(axis=1))


def _text(called: str, true: str, right: bool, sure: float | None) -> str:
    """What stands above an image."""
    last = "" if sure is None else f", {sure:.0%}"
    return _fitting(f"{'✓' if right else '✗'} {called}", last, "" if right else f"true: {true}")


def _fitting(first: str, last: str, second: str) -> str:
    """The lines above an image; names that have no room are shortened, the number is not."""
    room = WIDEST_TEXT - text_width(last, NORMAL)
    lines = [shortened(first, room, NORMAL) + last]
    return "\n".join(lines + [shortened(second, WIDEST_TEXT, NORMAL)] * bool(second))
