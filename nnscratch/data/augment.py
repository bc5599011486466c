"""Batches -> batches of slightly other images, so that no epoch sees the same twice."""

from __future__ import annotations

from operator import index

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


class ShiftAndFlip:
    """Each image moved by a few pixels and, perhaps, mirrored left to right.

    Parameters
    ----------
    shift : int >= 0
        The largest shift along each axis; the pixels that come in are 0.
    flip : bool
        Whether to mirror every image with probability 1/2.

    Raises
    ------
    ValueError
        shift is negative, or x is no batch of images.

    Examples
    --------
    Given to `Trainer(..., augment=ShiftAndFlip(1, flip=True))`, or called by hand:

    >>> x = np.arange(6.0).reshape(1, 1, 2, 3)
    >>> ShiftAndFlip(1)(x, np.random.default_rng(0))
    array([[[[3., 4., 5.],
             [0., 0., 0.]]]])
    """

    def __init__(self, shift: int = 0, flip: bool = False) -> None:
        self.shift, self.flip = index(shift), bool(flip)
        if self.shift < 0:
            raise ValueError(f"ShiftAndFlip expected a shift of at least 0, received {shift}")

    def __call__(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A new batch of the same shape; x (N, C, H, W) stays as it is."""
        if x.ndim != 4:
            raise ValueError(
                f"ShiftAndFlip expected images (N, C, H, W), received {x.shape}; "
                "augment only images"
            )
        count, _, height, width = x.shape
        s = self.shift
        padded = np.pad(x, ((0, 0), (0, 0), (s, s), (s, s)))
        moved = sliding_window_view(padded, (height, width), (2, 3))  # (N, C, 2s+1, 2s+1, H, W)
        down, right = rng.integers(0, 2 * s + 1, (2, count))
        y = moved[np.arange(count), :, down, right]
        if self.flip:
            mirrored = rng.random(count) < 0.5
            y[mirrored] = y[mirrored, :, :, ::-1]
        return y

    def __repr__(self) -> str:
        return f"ShiftAndFlip({self.shift}, flip={self.flip})"
