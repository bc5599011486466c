"""Which class, run or number has which colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

# Okabe and Ito, "Color Universal Design", 2008: told apart with every kind of colour vision.
# Yellow, faint on white, comes last.
COLOURS = (
    "#0072B2",  # blue
    "#D55E00",  # vermillion
    "#009E73",  # bluish green
    "#CC79A7",  # reddish purple
    "#E69F00",  # orange
    "#56B4E9",  # sky blue
    "#000000",  # black
    "#F0E442",  # yellow
)
MARKERS = "osD^vPX"  # where colours come again, or as a second sign of the same thing
WRONG = COLOURS[1]  # vermillion
NOT_FINITE = "#FF00FF"  # in none of the colour scales
LARGEST, SMALLEST = 1e100, 1e-100  # beyond, colour scales overflow


def ink(grey: float = 0.0) -> str:
    """Black, or a grey, on light paper; its opposite where matplotlib's style has a dark one.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with mpl.rc_context({"text.color": "white"}):
    ...     ink(), ink(0.25)
    ('white', '0.75')
    >>> ink(), ink(0.25)
    ('black', '0.25')
    """
    from matplotlib import rcParams
    from matplotlib.colors import to_rgb

    dark = sum(to_rgb(rcParams["text.color"])) > 1.5  # the paper, since what is written is light
    level = 1 - grey if dark else grey
    return "black" if level == 0 else "white" if level == 1 else f"{level:g}"


def of_line(number: int) -> str:
    """The colour of a line, from the first on again when all were used; black as `ink`."""
    colour = COLOURS[number % len(COLOURS)]
    return ink() if colour == "#000000" else colour


def drawable(image: np.ndarray) -> np.ndarray:
    """The image as float64, with a mask over what has no colour: NaN, infinite and huge numbers."""
    image = np.asarray(image, np.float64)
    if image.ndim == 3:
        return image
    return np.ma.masked_array(image, ~(np.abs(image) <= LARGEST))


def colour_map(name: str) -> Colormap:
    from matplotlib import colormaps

    return colormaps[name].with_extremes(bad=NOT_FINITE)


def largest(values: np.ndarray) -> float:
    """The largest |value| that has a colour; 1 where all are 0."""
    sizes = np.abs(np.asarray(values, np.float64))
    top = float(sizes.max(initial=0, where=sizes <= LARGEST))
    return top if top > SMALLEST else 1.0


def not_finite(values: np.ndarray) -> str:
    """A note that counts the values without a colour; nothing where all have one."""
    values = np.asarray(values, np.float64)
    count = values.size - np.count_nonzero(np.abs(values) <= LARGEST)
    return f"{count} of {values.size} values not finite (magenta)" if count else ""


def brightness(images: np.ndarray) -> tuple[float, float]:
    """Which values are black and white: 0 and 1 for images in [0, 1], 0 and 255 for bytes."""
    if images.dtype == np.uint8:
        return 0.0, 255.0
    values = np.asarray(images, np.float64)
    finite = values[np.abs(values) <= LARGEST]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if high - low > SMALLEST:
        return low, high
    around = max(0.5, abs(low) / 2)  # all are equal, and grey
    return low - around, low + around


def picture(image: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """An image (channels, height, width) as it is shown: 3 channels are colours in [0, 1].

    One channel is shown with its own numbers; of other images the mean over the channels.
    """
    if len(image) != 3:
        return image[0] if len(image) == 1 else image.mean(axis=0, dtype=np.float64)
    low, high = limits
    pixels = np.asarray(image.transpose(1, 2, 0), np.float64)
    colours = (np.clip(pixels, low, high) - low) / (high - low)
    colours[~(np.abs(pixels) <= LARGEST).all(axis=-1)] = (1, 0, 1)  # NOT_FINITE
    return colours
