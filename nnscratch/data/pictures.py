"""A PNG file of any kind -> one sample like those that a network was trained on.

The data's path for pictures of one's own: found on light or dark paper, cut out, shrunk and
centred in the way in which the makers of the data set treated theirs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nnscratch.data.picture_files import ENDINGS, open_picture, pictures_in
from nnscratch.data.sources import Framing, Source

Array = NDArray[np.float64]

LUMINANCE = (0.299, 0.587, 0.114)  # of red, green, blue
FAINTEST = 0.1  # contrast below which there is nothing to see
ENOUGH = 320  # pixels of a side, to see strokes by
SPECK = 0.02  # a spot with less than that share of all ink is dust


def read_picture(path: str | os.PathLike[str], source: Source) -> NDArray[np.float32]:
    """Read a picture as one sample of a data set.

    Parameters
    ----------
    path : str or os.PathLike
        A picture (PNG, JPEG, GIF, BMP, WebP) of any size; grey or colour, with or without
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
        raise ValueError(f"{source.name} has no images; no picture can be a sample of it")
    picture = opaque(open_picture(Path(path)))
    channels, *size = source.shape
    if channels == 3 or source.framing is None:
        x = fitted(picture, *size).transpose(2, 0, 1)
        x = x if channels == 3 else np.tensordot(LUMINANCE, x, 1)[np.newaxis]
    else:
        grey = picture @ LUMINANCE
        ready = grey.shape == tuple(size)
        x = _ink(grey) if source.framing.pen and not ready else _light_on_dark(grey)
        if x.max() < FAINTEST:
            raise ValueError(f"{path}: shows nothing that differs from its edge")
        x = (x if ready else _framed(x, source.framing, *size))[np.newaxis]
    return np.clip(x, 0, 1).astype(np.float32)


def find_pictures(names: Sequence[str | os.PathLike[str]]) -> list[Path]:
    """The files named, and of a folder every picture in it, in the order of their names.

    Hidden files (macOS puts ``._NAME`` beside each) and subfolders are left out.

    Raises
    ------
    FileNotFoundError
        A folder holds no picture.
    """
    paths = []
    for path in map(Path, names):
        if not path.is_dir():
            paths.append(path)
            continue
        found = pictures_in(path)
        if not found:
            raise FileNotFoundError(
                f"{path} holds no picture ({', '.join(ENDINGS)}); name pictures, or their folder"
            )
        paths += found
    return paths


def opaque(picture: Array) -> Array:
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


def fitted(picture: Array, height: int, width: int) -> Array:
    """A picture of another size: cut to its proportions in the middle, then shrunk or enlarged."""
    scale = min(picture.shape[0] / height, picture.shape[1] / width)
    sides = [max(1, round(scale * side)) for side in (height, width)]
    top, left = ((n - side) // 2 for n, side in zip(picture.shape, sides, strict=False))
    middle = picture[top : top + sides[0], left : left + sides[1]]
    return middle if middle.shape[:2] == (height, width) else _resized(middle, height, width)


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
