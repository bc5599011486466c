"""Which pixels a prediction hangs on: the gradient of a class's score by the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.metrics.classification import class_labels
from nnscratch.plots.colours import (
    WRONG,
    brightness,
    ink,
    largest,
    not_finite,
    picture,
)
from nnscratch.plots.images import (
    GAP,
    NORMAL,
    SMALL,
    Sheet,
    as_images,
    enlarged,
    names_of,
    per_line,
)
from nnscratch.plots.texts import line_height, shortened, text_width
from nnscratch.training.evaluation import modes_kept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 24  # images in one picture
HOT = (0.84, 0.37, 0.0)  # vermillion, as red, green and blue


@checks_kinds
def saliency(model: Layer, x: Any, target: Any = None) -> np.ndarray:
    """The gradient of a class's score by the input: what a small change of each pixel does.

    The model runs in evaluation mode; its modes, caches and running statistics stay as they were.

    Parameters
    ----------
    model : Layer
        Its output is (batch, classes); scores before a softmax are meant, since behind it the
        gradient may come from the other classes.
    x : array
        A batch as the model takes it, or one image (channels, height, width).
    target : int or int array (batch,), optional
        The class of each sample; the predicted one unless given.

    Returns
    -------
    array of the shape of x

    Notes
    -----
    For the score y_c, dL/dy of L = y_c is the one-hot row e_c, so dx = ∂y_c/∂x is what the
    backward pass makes of it. To first order y_c(x + Δx) = y_c(x) + ⟨dx, Δx⟩. Samples do not
    meet in evaluation mode, so one pass serves the whole batch.

    Raises
    ------
    ValueError
        The output is not (batch, classes) or holds NaN, a target is none of the classes or there
        is not one for each sample, or the model has no gradient by its input.

    References
    ----------
    Simonyan, Vedaldi and Zisserman, Deep inside convolutional networks: visualising image
    classification models and saliency maps (2013), section 3.

    Examples
    --------
    A linear model's gradient is the row of its weights:

    >>> import nnscratch as nn
    >>> model = nn.Linear(3, 2, rng=0)
    >>> dx = saliency(model, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], target=[1, 0])
    >>> np.array_equal(dx, model.params["W"][[1, 0]])
    True
    """
    return scores_and_gradient(model, x, target)[1]


@checks_kinds
def plot_saliency(
    model: Layer,
    images: Any,
    labels: Any = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    axes: Any = None,
) -> Figure:
    """Draw images beside the gradient of the predicted class's score by their pixels.

    Each image stands beside |gradient|, the largest of a pixel's channels, from black (0) to the
    image's own maximum, and beside the image with the gradient laid over it in orange.

    Parameters
    ----------
    model : Layer
        Its output is (batch, classes).
    images : array (count, channels, height, width) or (channels, height, width)
    labels : int array (count,) or int, optional
        The true classes.
    class_names : sequence of str, optional
        One for each class; their numbers unless given.
    title : str, optional
    axes : Axes, optional
        Whose place the pictures then share; a figure of their own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        The first 24 images; a note below the title says what is left out.

    Raises
    ------
    ValueError
        As `saliency`, or labels and names do not fit.

    Examples
    --------
    >>> import nnscratch as nn
    >>> data = nn.load_dataset("digits")
    >>> model = nn.mlp([64, 10], rng=0)
    >>> figure = plot_saliency(model, data.x_test[:2], data.y_test[:2])
    >>> len(figure.axes)
    6
    """
    caller = "plot_saliency"
    images = as_images(caller, images)
    count = len(images)
    shown = images[:MOST]
    scores, dx = scores_and_gradient(model, shown, None)
    names = names_of(caller, class_names, scores.shape[1])
    if labels is not None:
        labels = _labels_of(caller, labels, count, scores.shape[1])
    size = enlarged(shown.shape[2:], 96 if count > 1 else 144)
    texts = [
        _headline(names, called, None if labels is None else labels[i], 3 * size[1] + 2 * GAP)
        for i, called in enumerate(scores.argmax(axis=1))
    ]
    notes = [f"the first {MOST} of {count} images"] if count > MOST else []
    notes += ["each |gradient| on its own scale, black is 0", not_finite(dx)]
    heads = title or "Saliency of the predicted class", "; ".join(filter(None, notes))
    return _drawn(shown, np.abs(dx).max(axis=1), size, texts, heads, axes)


def _drawn(
    images: np.ndarray,
    strength: np.ndarray,
    size: tuple[int, int],
    texts: Sequence[str],
    heads: tuple[str, str],
    axes: Any,
) -> Figure:
    """Each image, its gradient, and both together, below its text; `heads` are title and note."""
    limits = brightness(images)
    step = size[1] + GAP
    width = 3 * step + 3 * GAP
    above = line_height(NORMAL) * max(text.count("\n") + 1 for text in texts) + 3
    heading, height = line_height(SMALL), above + size[0] + 2 * GAP
    columns = per_line(len(images), width, height)
    lines = -(-len(images) // columns)
    whole = columns * width - 4 * GAP, heading + lines * height - 2 * GAP
    sheet = Sheet(*whole, *heads, axes, "plot_saliency")
    for i, text in enumerate(texts):
        left, top = i % columns * width, heading + i // columns * height + above
        bare, share = picture(images[i], limits), strength[i] / largest(strength[i])
        first = sheet.show(left, top, size, bare, limits)
        sheet.show(left + step, top, size, share, (0, 1), "inferno")
        sheet.show(left + 2 * step, top, size, overlaid(bare, limits, share))
        colour = WRONG if text.startswith("✗") else ink()
        look: dict[str, Any] = {
            "fontsize": sheet.points(NORMAL),
            "color": colour,
            "parse_math": False,
        }
        first.axes.set_title(text, loc="left", pad=3, **look)
    for column in range(min(columns, len(texts))):
        for k, what in enumerate(("image", "|gradient|", "overlaid")):
            x = column * width + k * step + size[1] / 2
            sheet.write(x, 0, what, SMALL, "center", "top")
    return sheet.figure


def _labels_of(caller: str, labels: Any, count: int, classes: int) -> np.ndarray:
    """The true classes, one for each image."""
    labels = np.atleast_1d(as_array(labels))
    if labels.shape != (count,):
        raise ValueError(
            f"{caller} expected one label for each of {count} images, received {labels.shape}"
        )
    return class_labels(caller, "labels", labels, classes)


def scores_and_gradient(model: Layer, x: Any, target: Any) -> tuple[np.ndarray, np.ndarray]:
    """(y, ∂y_c/∂x) for the target classes c, in evaluation mode."""
    if not isinstance(model, Layer):
        raise ValueError(f"saliency expected a Layer, received {type(model).__name__}")
    x = as_array(x)
    with modes_kept(model):
        model.eval()
        try:
            y, cache = model.forward_pass(x)
        except ValueError:
            if x.ndim != 3:
                raise
            y, cache = model.forward_pass(x[np.newaxis])  # one image: a batch of one
        if y.ndim != 2 or y.shape[1] == 0:
            raise ValueError(
                f"saliency expected a model whose output is (batch, classes), received {y.shape}; "
                "pass a batch to a classifier"
            )
        if np.isnan(y).any():
            sample = int(np.argmax(np.isnan(y).any(axis=1)))
            raise ValueError(
                f"saliency expected scores, received NaN from the model, first in sample {sample}; "
                "look at its input and at its weights"
            )
        classes = y.argmax(axis=1) if target is None else np.atleast_1d(as_array(target))
        if classes.shape not in ((1,), (len(y),)):
            raise ValueError(
                f"saliency expected one target or one for each of {len(y)} samples, "
                f"received {classes.shape}"
            )
        classes = class_labels("saliency", "targets", classes, y.shape[1])
        dy = np.zeros_like(y)
        dy[np.arange(len(y)), classes] = 1
        dx, _ = model.backprop(dy, cache)
    if not isinstance(dx, np.ndarray):
        raise ValueError("saliency expected a gradient by the input, received none from the model")
    return y, dx.reshape(x.shape)


def overlaid(image: np.ndarray, limits: tuple[float, float], share: np.ndarray) -> np.ndarray:
    """The image in colours (height, width, 3), turning orange where the share is near 1."""
    share = np.nan_to_num(np.clip(share, 0, 1))[..., np.newaxis]
    if image.ndim == 2:
        low, high = limits
        grey = np.nan_to_num((np.clip(image, low, high) - low) / (high - low))
        image = np.repeat(grey[..., np.newaxis], 3, axis=-1)
    return (1 - share) * image + share * np.array(HOT)


def _headline(names: Sequence[str], predicted: int, label: int | None, room: float) -> str:
    """What was predicted and whether it is right, in two lines where one has no room."""
    if label is None:
        return shortened(f"predicted: {names[predicted]}", room, NORMAL)
    if label == predicted:
        return shortened(f"✓ {names[predicted]}", room, NORMAL)
    parts = [f"✗ {names[predicted]}", f"true: {names[label]}"]
    if text_width(", ".join(parts), NORMAL) <= room:
        return ", ".join(parts)
    return "\n".join(shortened(part, room, NORMAL) for part in parts)
