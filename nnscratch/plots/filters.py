"""Pictures of what a convolutional layer looks for, and of what it finds in an image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from nnscratch.inspection.observe import observe
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.plots.colours import brightness, largest, not_finite, picture
from nnscratch.plots.images import (
    GAP,
    LOWEST_BAR,
    SMALL,
    Block,
    Sheet,
    as_images,
    bar_width,
    enlarged,
    quarters,
)
from nnscratch.plots.texts import line_height, text_width
from nnscratch.training.evaluation import modes_kept

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_FILTERS, MOST_CHANNELS = 32, 16  # of filters with several channels each
MOST_IMAGES = MOST_FILTERS * MOST_CHANNELS
MOST_MAPS = 128


@checks_kinds
def plot_filters(
    weights_or_layer: Any,
    title: str | None = None,
    image_shape: Sequence[int] | None = None,
    colour: bool = False,
    axes: Any = None,
) -> Figure:
    """Draw the filters of a convolutional layer, or the weights of the first linear one.

    Blue is negative, white 0, red positive, on one scale for all of them. A filter with several
    input channels is a line of images, one for each; its number stands at the left.

    Parameters
    ----------
    weights_or_layer : Layer or array
        A layer with ``params["W"]``, or such weights: (out, in, height, width), or with
        `image_shape` those of a Linear, (out, in).
    title : str, optional
    image_shape : (height, width) or (channels, height, width), optional
        The images that a Linear sees.
    colour : bool
        Draw filters of 3 channels as one image, with red, green and blue for the channels: grey
        is 0. Right for the first layer on colour images.
    axes : Axes, optional
        Whose place the pictures then share; a figure of their own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        At most 512 images, 16 channels and of several channels 32 filters. A note below the
        title says what is left out.

    Raises
    ------
    ValueError
        The weights have other axes, or do not fit the image shape; there are none.

    Examples
    --------
    >>> W = np.random.default_rng(0).normal(size=(8, 1, 3, 3))
    >>> len(plot_filters(W).axes)  # and the colour bar
    9
    """
    W, name = _weights(weights_or_layer, image_shape)
    filters, channels, height, width = W.shape
    if colour and channels != 3:
        raise ValueError(
            f"plot_filters expected 3 channels for colour=True, received weights {W.shape}; "
            "leave colour out"
        )
    single = channels == 1 or colour  # a filter is one image
    shown = W[: MOST_IMAGES if single else MOST_FILTERS, :MOST_CHANNELS]
    bound = largest(shown)
    strips = [list(channels) for channels in shown]
    if colour:
        strips = [[picture(rgb, (-bound, bound))] for rgb in shown]
    block, ticks = Block(strips), quarters(-bound, bound)
    what = _counted(filters, "filter") + (f" of {channels} channels" if channels > 1 else "")
    notes = [_cut("filters", shown.shape[0], filters), _cut("channels", shown.shape[1], channels)]
    if channels > 1:
        notes += ["colours are the channels, grey is 0" if colour else "a column for each channel"]
    notes += [not_finite(shown)]
    sheet = Sheet(
        block.width + bar_width(ticks),
        max(block.height, LOWEST_BAR),
        title or f"{name}: {what}, {height}×{width}",
        "; ".join(filter(None, notes)),
        axes,
        "plot_filters",
    )
    last = block.draw(sheet, 0, (-bound, bound), "gray" if colour else "RdBu_r")
    sheet.colour_bar(block.width, 0, block.bar_height, last, ticks, "weight")
    return sheet.figure


@checks_kinds
def plot_feature_maps(
    model: Layer, x: Any, layer: int | str = 0, title: str | None = None, axes: Any = None
) -> Figure:
    """Draw what a layer inside a model makes of one image, beside the image.

    The model runs in evaluation mode; its modes, caches and running statistics stay as they were.
    Maps without negative numbers, as behind a ReLU, are drawn from dark (0) to bright; others in
    blue for negative and red for positive numbers. One scale serves them all.

    Parameters
    ----------
    model : Layer
    x : array (channels, height, width) or (1, channels, height, width)
    layer : int or str
        The layer whose output is drawn: its index in the model, or its path ("3.0" is layer 0
        of layer 3, as in the names of the parameters; of a Graph the node's name).
    title : str, optional
    axes : Axes, optional
        Whose place the pictures then share; a figure of their own unless given.

    Returns
    -------
    matplotlib.figure.Figure
        At most 128 maps; a note below the title says what is left out.

    Raises
    ------
    ValueError
        There is no such layer or its output is not (1, channels, height, width); x is not one
        image.

    Examples
    --------
    >>> import nnscratch as nn
    >>> image = nn.load_dataset("digits").x_test[0]
    >>> figure = plot_feature_maps(nn.Sequential(nn.Identity(), nn.Tanh()), image, layer=1)
    >>> len(figure.axes)  # the image, one map and the colour bar
    3
    """
    if not isinstance(model, Layer):
        raise ValueError(f"plot_feature_maps expected a Layer, received {type(model).__name__}")
    images = as_images("plot_feature_maps", x)
    if len(images) != 1:
        raise ValueError(
            f"plot_feature_maps expected one image, received {len(images)}; pass x[:1]"
        )
    path, inside = _find(model, layer)
    y = _output_at(model, path, inside, images)
    place = f"layer {path}, {_name(inside)}" if path else _name(inside)
    if y.ndim != 4 or len(y) != 1 or y.size == 0:
        raise ValueError(
            f"plot_feature_maps expected an output (1, channels, height, width) of {place}, "
            f"received {y.shape}; choose a layer before the maps are flattened"
        )
    maps = y[0, :MOST_MAPS]
    bound, signed = largest(maps), bool((maps < 0).any())
    low = -bound if signed else 0.0
    block, ticks = Block([[each] for each in maps]), quarters(low, bound)
    limits = brightness(images)
    before = enlarged(images.shape[2:], max(*block.size, min(block.height, 128)))
    caption = "input" if images.shape[1] in (1, 3) else f"input: mean of {images.shape[1]} channels"
    left = max(before[1], math.ceil(text_width(caption, SMALL))) + GAP
    notes = [_cut("maps", len(maps), y.shape[1]), not_finite(maps)]
    sheet = Sheet(
        left + block.width + bar_width(ticks),
        max(block.height, before[0] + line_height(SMALL), LOWEST_BAR),
        title or f"{place}: {_counted(y.shape[1], 'map')}, {y.shape[2]}×{y.shape[3]}",
        "; ".join(filter(None, notes)),
        axes,
        "plot_feature_maps",
    )
    sheet.show(0, 0, before, picture(images[0], limits), limits)
    sheet.write(0, before[0] + 2, caption, SMALL, "left", "top")
    last = block.draw(sheet, left, (low, bound), "RdBu_r" if signed else "viridis")
    sheet.colour_bar(left + block.width, 0, block.bar_height, last, ticks, "output")
    return sheet.figure


def _weights(source: Any, image_shape: Sequence[int] | None) -> tuple[np.ndarray, str]:
    """The weights as (filters, channels, height, width), and what to call them."""
    name = "weights"
    if hasattr(source, "params"):
        name = _name(source)
        if "W" not in source.params:
            inside = [key for key in source.params if key.endswith(".W")]
            remedy = f"pass .params[{inside[0]!r}]" if inside else "pass a layer with weights"
            raise ValueError(
                f"plot_filters expected a layer with params['W'], received {name}; {remedy}"
            )
        source = source.params["W"]
    W = floating(source)
    if W.ndim == 2 and image_shape is not None:
        shape = (1, *image_shape)[-3:]
        if len(image_shape) not in (2, 3) or math.prod(shape) != W.shape[1]:
            raise ValueError(
                f"plot_filters expected image_shape (height, width) or (channels, height, width) "
                f"of {W.shape[1]} numbers for weights {W.shape}, received {tuple(image_shape)}"
            )
        W = W.reshape(len(W), *shape)
    elif W.ndim != 4 or image_shape is not None:
        remedy = (
            "say what the inputs look like, image_shape=(28, 28)"
            if W.ndim == 2
            else "image_shape is for the weights (out, in) of a Linear"
        )
        raise ValueError(
            f"plot_filters expected weights (out, in, height, width), received {W.shape}"
            f"{'' if image_shape is None else f' and image_shape={image_shape}'}; {remedy}"
        )
    if W.size == 0:
        raise ValueError(f"plot_filters expected at least one weight, received {W.shape}")
    return W, name


def _find(model: Layer, layer: int | str) -> tuple[str, Layer]:
    """The path and the layer for an index or a path."""
    places, path = dict(model.walk()), layer
    if isinstance(layer, SupportsIndex):
        names, i = [name for name, _ in model.children()], index(layer)
        path = names[i] if -len(names) <= i < len(names) else layer
    if path not in places:
        known = ", ".join(f"{p!r} {type(inside).__name__}" for p, inside in places.items() if p)
        raise ValueError(
            f"plot_feature_maps expected a layer of the model, received {layer!r}; "
            f"there are {known or 'none inside'}"
        )
    return str(path), places[str(path)]


def _output_at(model: Layer, path: str, inside: Layer, images: np.ndarray) -> np.ndarray:
    """What the layer at the path returns while the model runs in evaluation mode."""
    with modes_kept(model), observe(model) as passes:
        model.eval()
        model.forward_pass(images)
    outputs = [use.output for use in passes if use.where == path]
    if len(outputs) != 1:
        raise ValueError(
            f"plot_feature_maps expected {_name(inside)} to run once for one image, "
            f"it ran {len(outputs)} times; choose the layer around it"
        )
    return outputs[0]


def _name(layer: Any) -> str:
    """How a layer is written, of a container only the class."""
    text = repr(layer)
    return type(layer).__name__ if "\n" in text else text


def _cut(what: str, shown: int, there: int) -> str:
    return f"the first {shown} of {there} {what}" if shown < there else ""


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" + ("s" if count != 1 else "")
