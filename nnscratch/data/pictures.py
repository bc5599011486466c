"""A PNG file of any kind -> one sample like those that a network was trained on.

The data's path for pictures of one's own: found on light or dark paper, cut out, shrunk and
centred in the way in which the makers of the data set treated theirs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.sources import Source

Array = NDArray[np.float64]

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green, blue
FAINTEST = 0.1  # contrast below which there is nothing to see
ENOUGH = 320  # pixels of a side, to see strokes by
SPECK = 0.02  # a spot with less than that share of all ink is dust


@dataclass(frozen=True)
class Framing:
    """How the makers of a data set placed what their images show.

    Attributes
    ----------
    box : (height, width)
        What it is shrunk into, its proportions kept.
    by_mass : bool
        Whether its centre of mass is put into the middle of the image, or that of its outline.
    pen : float
        Whether it is drawn with a pen, on which then everything is either ink or paper, and how
        thick the strokes are at least, as a share of the box's height; 0 for other images.
    """

    box: tuple[int, int]
    by_mass: bool = False
    pen: float = 0.0


FRAMINGS = {
    # datasets/README.md: every digit is 8 pixels high; a stroke is about 2 wide
    "digits": Framing((8, 7), pen=0.2),
    # LeCun et al., Gradient-based learning applied to document recognition (1998), section III.A
    "mnist": Framing((20, 20), by_mass=True, pen=0.1),
    # Xiao et al., Fashion-MNIST (2017), section 2: trimmed, its longest edge made 28
    "fashion-mnist": Framing((28, 28)),
    # Clanuwat et al., Deep learning for classical Japanese literature (2018): fills the image
    "kmnist": Framing((28, 28), pen=0.1),
}


def read_picture(path: str | os.PathLike[str], source: Source) -> NDArray[np.float32]:
    """Read a picture as one sample of a data set.

    Parameters
    ----------
    path : str or os.PathLike
        A PNG file (or another that Pillow reads) of any size; grey or colour, with or without
        transparency. For grey sets on a dark or a light background: the edge tells which.
    source : Source
        The data set that the network was trained on.

    Returns
    -------
    x : float32 array of shape ``source.shape``, in [0, 1]
        A picture that has this size already is only turned light on dark.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        It is no picture, or shows nothing; or the data set has no images.
    """
    if len(source.shape) != 3:
        raise ValueError(f"{source.name} are points, not images; no picture can be one of them")
    picture = _read(Path(path))
    channels, *size = source.shape
    if channels == 3:
        x = _resized(_square(_opaque(picture)), *size).transpose(2, 0, 1)
    else:
        framing, grey = FRAMINGS[source.name], _opaque(picture) @ LUMINANCE
        ready = grey.shape == tuple(size)
        x = _ink(grey) if framing.pen and not ready else _light_on_dark(grey)
        if x.max() < FAINTEST:
            raise ValueError(f"{path}: shows nothing that differs from its edge")
        x = (x if ready else _framed(x, framing, *size))[np.newaxis]
    return np.clip(x, 0, 1).astype(np.float32)


def find_pictures(names: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The files named, and of a folder every PNG file in it, in the order of their names.

    Raises
    ------
    FileNotFoundError
        A folder holds no PNG file.
    """
    paths = []
    for path in map(Path, names):
        if not path.is_dir():
            paths.append(path)
            continue
        found = sorted(each for each in path.iterdir() if each.suffix.lower() == ".png")
        if not found:
            raise FileNotFoundError(f"{path} holds no PNG file; name pictures, or their folder")
        paths += found
    return paths


def _read(path: Path) -> Array:
    """Red, green, blue and opacity in [0, 1], of shape (height, width, 4)."""
    from matplotlib.image import imread  # slow to import

    with path.open("rb") as file:
        try:
            picture = np.asarray(imread(file))
        except Exception as error:  # a damaged file raises almost anything in there
            raise ValueError(
                f"{path}: not a picture that can be read ({error}); save it as PNG"
            ) from None
    scale = 1.0 if picture.dtype.kind == "f" else np.iinfo(picture.dtype).max
    picture = picture / scale
    if picture.ndim == 2:
        picture = np.repeat(picture[:, :, np.newaxis], 3, axis=2)
    if picture.shape[2] == 3:
        picture = np.concatenate([picture, np.ones_like(picture[:, :, :1])], axis=2)
    return picture


def _opaque(picture: Array) -> Array:
    """Put a transparent picture on white paper, or on black if it is drawn in light colours."""
    colour, opacity = picture[:, :, :3], picture[:, :, 3:]
    if opacity.min() == 1:
        return colour
    drawn = (colour * opacity).sum(axis=(0, 1)) / max(float(opacity.sum()), 1e-9)
    paper = 1.0 if drawn @ LUMINANCE <= 0.5 else 0.0
    return colour * opacity + paper * (1 - opacity)


def _light_on_dark(grey: Array) -> Array:
    """Ink as 1 and paper as 0, whichever is darker; paper is what the edge shows."""
    edge = _edge(grey)
    levels = np.round(15 * edge).astype(int)
    commonest = np.bincount(levels).argmax()  # a median would fail where much touches the edge
    paper = float(np.median(edge[levels == commonest]))
    darker, lighter = np.maximum(paper - grey, 0), np.maximum(grey - paper, 0)
    if (darker**2).sum() > (lighter**2).sum():
        return darker / paper
    return lighter / (1 - paper) if paper < 1 else lighter


def _edge(image: Array) -> Array:
    return np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])


def _framed(ink: Array, framing: Framing, height: int, width: int) -> Array:
    """Cut out what there is, shrink it into the box, and put it where its makers would."""
    least = 0.5 if framing.pen else 0.05
    rows, columns = (np.flatnonzero((ink > least).any(axis=axis)) for axis in (1, 0))
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if framing.pen:
        ink = _thickened(ink, framing.pen)
    shrink = max(ink.shape[0] / framing.box[0], ink.shape[1] / framing.box[1])
    ink = _resized(ink, *(max(1, round(side / shrink)) for side in ink.shape))
    if framing.pen:
        ink /= ink.max()
    offsets = []
    for axis, (side, room) in enumerate(zip(ink.shape, (height, width), strict=True)):
        middle = (side - 1) / 2
        if framing.by_mass:
            middle = float(np.average(np.arange(side), weights=ink.sum(axis=1 - axis)))
        offset = round((room - 1) / 2 - middle)
        offsets.append(min(max(offset, 0), room - side))
    image = np.zeros((height, width))
    image[offsets[0] : offsets[0] + ink.shape[0], offsets[1] : offsets[1] + ink.shape[1]] = ink
    return image


def _ink(grey: Array) -> Array:
    """Strokes as 1 and paper as 0, in spite of shadows, grain and dust."""
    from scipy import ndimage  # slow to import

    side = max(grey.shape)
    if side > ENOUGH:
        grey = _resized(grey, *(max(1, round(ENOUGH * n / side)) for n in grey.shape))
    if np.ptp(grey) < FAINTEST:
        return np.zeros_like(grey)
    dark = np.mean(_edge(grey) > _otsu(grey)) > 0.5
    ink = 1 - grey if dark else grey
    # what is wider than any stroke is shadow
    ink = ink - ndimage.grey_opening(ink, size=[2 + n // 3 for n in ink.shape])
    if ink.max() < FAINTEST:  # nothing but shadow
        return ink
    threshold = _otsu(ink)
    ink = np.clip((ink - threshold / 2) / threshold, 0, 1)  # soft, as at the edge of a stroke
    spots, count = ndimage.label(ink, np.ones((3, 3)))
    mass = np.bincount(spots.ravel(), ink.ravel(), count + 1)
    darkest = ndimage.maximum(ink, spots, np.arange(count + 1))
    return np.where(((mass >= SPECK * mass.sum()) & (darkest > 0.5))[spots], ink, 0)


def _otsu(ink: Array) -> float:
    """The threshold that makes the two sides least varied [Otsu, IEEE Trans. SMC 9 (1979), 62]."""
    counts, edges = np.histogram(ink, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):  # no pixel on one side
        between = below * above * (total / below - (total[-1] - total) / above) ** 2
    best = np.flatnonzero(between == np.nanmax(between))  # a range, if no pixel is in between
    return float(edges[1 + best].mean())


def _thickened(ink: Array, pen: float) -> Array:
    """Strokes of a fine pen made as thick as those of the data, before shrinking blurs them."""
    from scipy import ndimage  # slow to import

    # at a random place of a stroke of thickness t, the nearest paper is t / 4 away on average
    inside = np.pad(ink > 0.5, 1)
    thickness = 4 * ndimage.distance_transform_edt(inside)[inside].mean() if inside.any() else 0
    lacking = round((pen * max(ink.shape) - thickness) / 2)
    if lacking < 1:
        return ink
    across = np.hypot(*np.mgrid[-lacking : lacking + 1, -lacking : lacking + 1]) <= lacking + 0.5
    return ndimage.grey_dilation(np.pad(ink, lacking), footprint=across)


def _square(picture: Array) -> Array:
    """The square in the middle."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return picture[top : top + side, left : left + side]


def _resized(image: Array, height: int, width: int) -> Array:
    """Another size, each axis by a weighted mean of the pixels that a new one covers."""
    down, across = _weights(image.shape[0], height), _weights(image.shape[1], width)
    return np.einsum("ip,pq...,jq->ij...", down, image, across, optimize=True)


def _weights(before: int, after: int) -> Any:
    """Row i has the shares of the old pixels in the new pixel i: linear, and as wide as it."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    distance = np.abs(centres[:, np.newaxis] - np.arange(before)) / max(scale, 1)
    weights = np.maximum(1 - distance, 0)
    return weights / weights.sum(axis=1, keepdims=True)
