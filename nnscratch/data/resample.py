"""Images looked at from elsewhere: rotated, or a part of them as large as the whole.

Both ask, for each pixel of the new image, where it lies in the old one, and take there what four
neighbouring pixels say, each the more the nearer it is (bilinear interpolation).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.data.augment import checked_images, generator
from nnscratch.kinds import checks_kinds

__all__ = ["Crop", "Rotate"]


class Rotate:
    """Each image turned about its centre by an angle of its own.

    Parameters
    ----------
    degrees : float in (0, 180]
        The largest angle; all from -degrees to degrees are equally likely. What comes in at the
        corners is 0.

    Notes
    -----
    A pixel that lies at (r, c) from the centre is taken from
    (r cos φ - c sin φ, r sin φ + c cos φ) of the old image.

    Raises
    ------
    ValueError
        degrees is out of range, or x is no batch of images.

    Examples
    --------
    >>> x = np.zeros((1, 1, 5, 5))
    >>> x[..., 2, :] = 1
    >>> Rotate(45)(x, np.random.default_rng(9)).round(1)[0, 0]
    array([[0.1, 0. , 0. , 0. , 0. ],
           [0.6, 0.7, 0.2, 0. , 0. ],
           [0. , 0.5, 1. , 0.5, 0. ],
           [0. , 0. , 0.2, 0.7, 0.6],
           [0. , 0. , 0. , 0. , 0.1]])
    """

    @checks_kinds
    def __init__(self, degrees: float) -> None:
        if not 0 < degrees <= 180:
            raise ValueError(f"Rotate expected degrees in (0, 180], received {degrees!r}")
        self.degrees = float(degrees)

    def __call__(self, x: np.ndarray, rng: Any) -> np.ndarray:
        """A new batch of the same shape; x (N, C, H, W) stays as it is."""
        count = len(checked_images(self, x))
        angles = generator(self, rng).uniform(-self.degrees, self.degrees, count)
        return turned(x, np.radians(angles))

    def __repr__(self) -> str:
        return f"Rotate({self.degrees:g})"


class Crop:
    """A part of each image, drawn anew each time, stretched to the size of the whole.

    Parameters
    ----------
    smallest : float in (0, 1)
        The share of each side that the smallest part has; all up to 1 are equally likely.

    Notes
    -----
    A part of share s of a side of n pixels begins at a place u drawn from [0, (1 - s)(n - 1)], and
    pixel i of the new image is taken from u + s i of the old one; the centres of the first and
    the last pixel of the whole stay for s = 1.

    Raises
    ------
    ValueError
        smallest is no share, or x is no batch of images.

    References
    ----------
    Szegedy et al., Going deeper with convolutions (2015), section 6, with one share for both
    sides, so that shapes stay as they are.

    Examples
    --------
    >>> x = np.arange(4.0) * np.ones((1, 1, 2, 1))
    >>> Crop(0.5)(x, np.random.default_rng(0)).round(2)
    array([[[[0.02, 0.84, 1.66, 2.48],
             [0.02, 0.84, 1.66, 2.48]]]])
    """

    @checks_kinds
    def __init__(self, smallest: float = 0.8) -> None:
        if not 0 < smallest < 1:
            raise ValueError(f"Crop expected a share in (0, 1), received {smallest!r}")
        self.smallest = float(smallest)

    def __call__(self, x: np.ndarray, rng: Any) -> np.ndarray:
        """A new batch of the same shape; x (N, C, H, W) stays as it is."""
        count, _, *sides = checked_images(self, x).shape
        rng = generator(self, rng)
        share = rng.uniform(self.smallest, 1, (count, 1))
        begins = rng.random((2, count, 1)) * (1 - share)
        rows, columns = (
            begin * (n - 1) + share * np.arange(n) for begin, n in zip(begins, sides, strict=True)
        )
        return taken(x, rows[:, :, np.newaxis], columns[:, np.newaxis, :])

    def __repr__(self) -> str:
        return f"Crop({self.smallest:g})"


def turned(x: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Each image (N, C, H, W) turned by its angle (N,), in radians."""
    height, width = x.shape[2:]
    r = (np.arange(height) - (height - 1) / 2)[:, np.newaxis]
    c = (np.arange(width) - (width - 1) / 2)[np.newaxis, :]
    cos, sin = (f(angle)[:, np.newaxis, np.newaxis] for f in (np.cos, np.sin))
    rows, columns = r * cos - c * sin, r * sin + c * cos
    return taken(x, rows + (height - 1) / 2, columns + (width - 1) / 2)


def taken(x: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """x (N, C, H, W) at places between its pixels, (N, H, W) each or broadcast; outside it is 0."""
    count, _, height, width = x.shape
    x = x if x.dtype.kind == "f" else x.astype(np.float32)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    # Places farther out than the frame of zeros are moved onto it
    rows, columns = np.clip(rows, -1, height) + 1, np.clip(columns, -1, width) + 1
    top = np.minimum(rows.astype(np.intp), height)
    left = np.minimum(columns.astype(np.intp), width)
    down, right = (
        (place - first).astype(x.dtype)[:, np.newaxis]
        for place, first in ((rows, top), (columns, left))
    )
    image = np.arange(count)[:, np.newaxis, np.newaxis]

    def corner(below: int, beside: int) -> np.ndarray:
        return np.moveaxis(padded[image, :, top + below, left + beside], -1, 1)

    above = corner(0, 0) * (1 - right) + corner(0, 1) * right
    below = corner(1, 0) * (1 - right) + corner(1, 1) * right
    return above * (1 - down) + below * down
