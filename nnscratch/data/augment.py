"""Batches -> batches of slightly other samples, so that no epoch sees the same twice.

Each of these is a function (x, rng) -> x for `Trainer(..., augment=...)`, which takes a list of
several too; `Mixup`, which changes the targets as well, is one of (x, y, rng) -> (x, y). What
reads images between their pixels stands in `resample.py`.
"""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from nnscratch.kinds import array_of, checks_kinds, received

__all__ = ["Cutout", "Mixup", "ShiftAndFlip"]


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

    @checks_kinds
    def __init__(self, shift: int = 0, flip: bool = False) -> None:
        self.shift, self.flip = index(shift), bool(flip)
        if self.shift < 0:
            raise ValueError(f"ShiftAndFlip expected a shift of at least 0, received {shift}")

    def __call__(self, x: np.ndarray, rng: Any) -> np.ndarray:
        """A new batch of the same shape; x (N, C, H, W) stays as it is."""
        count, _, height, width = checked_images(self, x).shape
        rng = generator(self, rng)
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


class Cutout:
    """Each image with a square of it covered by zeros.

    Parameters
    ----------
    size : int >= 1
        The side of the square, in pixels.

    Notes
    -----
    The centre is drawn among all pixels, so that a square at the border covers less.

    Raises
    ------
    ValueError
        size is below 1, or x is no batch of images.

    References
    ----------
    DeVries and Taylor, Improved regularization of convolutional neural networks with cutout (2017).

    Examples
    --------
    >>> Cutout(2)(np.ones((1, 1, 3, 4)), np.random.default_rng(0))
    array([[[[1., 1., 1., 1.],
             [1., 0., 0., 1.],
             [1., 0., 0., 1.]]]])
    """

    @checks_kinds
    def __init__(self, size: int) -> None:
        self.size = index(size)
        if self.size < 1:
            raise ValueError(f"Cutout expected a size of at least 1, received {size}")

    def __call__(self, x: np.ndarray, rng: Any) -> np.ndarray:
        """A new batch of the same shape; x (N, C, H, W) stays as it is."""
        count, _, height, width = checked_images(self, x).shape
        rng = generator(self, rng)
        rows, columns = (self._covered(rng, count, length) for length in (height, width))
        both = rows[:, :, np.newaxis] & columns[:, np.newaxis, :]
        return np.where(both[:, np.newaxis], x.dtype.type(0), x)

    def _covered(self, rng: np.random.Generator, count: int, length: int) -> np.ndarray:
        """(count, length): which rows, or columns, cross a square that is drawn anew."""
        first = rng.integers(0, length, (count, 1)) - self.size // 2
        distance = np.arange(length) - first
        return (distance >= 0) & (distance < self.size)

    def __repr__(self) -> str:
        return f"Cutout({self.size})"


class Mixup:
    """Each sample mixed with another one of its batch, inputs and targets in the same shares.

    Parameters
    ----------
    alpha : float > 0
        How much is mixed: small values leave most batches nearly as they are.
    classes : int, optional
        How many classes there are, where targets are labels: they become probabilities, as
        `SoftmaxCrossEntropy` takes them. Targets of floats are mixed as they are.

    Notes
    -----
    With λ drawn from Beta(alpha, alpha), one for a batch, and j a permutation of its samples:
    x_i' = λ x_i + (1 - λ) x_j and y_i' = λ y_i + (1 - λ) y_j, where a label stands for the vector
    with 1 in its place. A net that is linear between samples has the smallest loss on these.

    Raises
    ------
    ValueError
        alpha is not positive, or targets are labels without `classes`, or beyond them.

    References
    ----------
    Zhang, Cisse, Dauphin and Lopez-Paz, mixup: beyond empirical risk minimization (2018).

    Examples
    --------
    >>> x, y = np.array([[0.0], [10.0]]), np.array([0, 1])
    >>> mixed, target = Mixup(1.0, classes=2)(x, y, np.random.default_rng(3))
    >>> np.hstack([mixed, target]).round(2)
    array([[7.34, 0.27, 0.73],
           [2.66, 0.73, 0.27]])
    """

    @checks_kinds
    def __init__(self, alpha: float = 0.2, classes: int | None = None) -> None:
        if not 0 < alpha < np.inf:
            raise ValueError(f"Mixup expected a positive alpha, received {alpha!r}")
        if classes is not None and index(classes) < 2:
            raise ValueError(f"Mixup expected at least 2 classes, received {classes}")
        self.alpha, self.classes = float(alpha), classes

    def __call__(self, x: np.ndarray, y: np.ndarray, rng: Any) -> tuple[np.ndarray, np.ndarray]:
        """New inputs and targets; the given ones stay as they are."""
        x, y, rng = array_of("Mixup", x), array_of("Mixup", y), generator(self, rng)
        if not (x.dtype.kind in "fiub" and y.dtype.kind in "fiub" and x.shape[:1] == y.shape[:1]):
            raise ValueError(
                "Mixup expected x and y as arrays of numbers with one row for each sample, "
                f"received {x.dtype} {x.shape} and {y.dtype} {y.shape}"
            )
        x = x if x.dtype.kind == "f" else x.astype(np.float32)
        target = self._target(y, x.dtype)
        share, other = rng.beta(self.alpha, self.alpha), rng.permutation(len(x))
        return _mixed(x, other, share), _mixed(target, other, share)

    def _target(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        if y.dtype.kind == "f":
            return y
        if self.classes is None:
            raise ValueError(
                f"Mixup expected targets of floats, received labels of {y.dtype}; say how many "
                f"classes there are: Mixup({self.alpha:g}, classes={y.max(initial=0) + 1})"
            )
        if y.ndim != 1 or (y.size and not 0 <= y.min() <= y.max() < self.classes):
            raise ValueError(
                f"Mixup expected labels (batch,) from 0 to {self.classes - 1}, received "
                f"{y.shape} with labels up to {y.max(initial=0)}"
            )
        return np.eye(self.classes, dtype=dtype)[y.astype(np.int64)]

    def __repr__(self) -> str:
        classes = "" if self.classes is None else f", classes={self.classes}"
        return f"Mixup({self.alpha:g}{classes})"


def _mixed(array: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    """share · array + (1 - share) · array[other], in the array's dtype."""
    kind = array.dtype.type
    return kind(share) * array + kind(1 - share) * array[other]


def generator(who: Any, rng: Any) -> np.random.Generator:
    """The generator to draw from, or the one of a seed; a ValueError where it is neither."""
    if isinstance(rng, np.random.Generator):
        return rng
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError):
        raise ValueError(
            f"{type(who).__name__} expected rng as a seed or a NumPy generator, received "
            f"{received(rng)}; pass np.random.default_rng(0)"
        ) from None


def checked_images(who: Any, x: Any) -> np.ndarray:
    """x if it is a batch of images (N, C, H, W), else a ValueError."""
    if not isinstance(x, np.ndarray) or x.ndim != 4:
        raise ValueError(
            f"{type(who).__name__} expected images (N, C, H, W), received "
            f"{getattr(x, 'shape', type(x).__name__)}; augment only images"
        )
    return x
