"""Numbers -> points in the plane: small problems whose solution can be drawn.

`load_dataset("spirals")` and `load_dataset("moons")` are one fixed draw of each; these functions
draw others.
"""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import NDArray

from nnscratch.kinds import checks_kinds

Points = tuple[NDArray[np.float32], NDArray[np.int64]]


@checks_kinds
def spirals(
    samples: int = 300,
    classes: int = 3,
    noise: float = 0.2,
    rng: int | np.random.Generator | None = None,
) -> Points:
    """Points on the arms of a spiral, one class per arm; no straight line parts them.

    Parameters
    ----------
    samples : int
        Of all classes together, as even as they divide.
    classes : int
        Arms.
    noise : float
        Standard deviation of a point's angle, in radians.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    x : float32 array (samples, 2)
        Within the unit circle.
    y : int64 array (samples,)

    Raises
    ------
    ValueError
        There are fewer samples than classes, no class, or negative noise.

    Notes
    -----
    The i-th of n points of the class k has the radius s = i / n and the angle
    ``4 s + 2 π k / classes + noise``. The centre, where all arms meet, has no point.

    References
    ----------
    CS231n, Convolutional Neural Networks for Visual Recognition, the case study of a minimal
    network, for the problem.

    Examples
    --------
    >>> x, y = spirals(6, classes=2, noise=0.0)
    >>> y
    array([0, 1, 0, 1, 0, 1])
    >>> np.linalg.norm(x, axis=1).round(3)
    array([0.333, 0.333, 0.667, 0.667, 1.   , 1.   ], dtype=float32)
    """
    rng, y = _labels("spirals", samples, classes, noise, rng)
    share = (_places(y, classes) + 1) / np.bincount(y)[y]
    angle = 4 * share + 2 * np.pi * y / classes + noise * rng.normal(size=len(y))
    return _points(share * np.cos(angle), share * np.sin(angle)), y


@checks_kinds
def moons(
    samples: int = 200, noise: float = 0.1, rng: int | np.random.Generator | None = None
) -> Points:
    """Points on two half circles that reach into each other.

    Parameters
    ----------
    samples : int
        Of both together.
    noise : float
        Standard deviation of each coordinate; the half circles have the radius 1.
    rng : int, numpy.random.Generator or None

    Returns
    -------
    x : float32 array (samples, 2)
    y : int64 array (samples,)
        0 for the upper half circle, around (0, 0); 1 for the lower, around (1, 0.5).

    Raises
    ------
    ValueError
        There are fewer than two samples, or negative noise.

    Examples
    --------
    >>> x, y = moons(4, noise=0.0)
    >>> x.round(2) + 0.0
    array([[ 1. ,  0. ],
           [ 0. ,  0.5],
           [-1. ,  0. ],
           [ 2. ,  0.5]], dtype=float32)
    """
    rng, y = _labels("moons", samples, 2, noise, rng)
    angle = np.pi * _places(y, 2) / np.maximum(np.bincount(y)[y] - 1, 1)
    upper = y == 0
    across = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    along = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    x = np.stack([across, along], axis=1) + noise * rng.normal(size=(len(y), 2))
    return _points(*x.T), y


def _labels(
    caller: str, samples: int, classes: int, noise: float, rng: int | np.random.Generator | None
) -> tuple[np.random.Generator, NDArray[np.int64]]:
    """Check the arguments; the classes take turns, so that any prefix is balanced."""
    if operator.index(classes) < 1 or operator.index(samples) < classes:
        raise ValueError(
            f"{caller} expected at least one sample for each class, "
            f"received {samples} samples of {classes} classes"
        )
    if not noise >= 0:
        raise ValueError(f"{caller} expected noise of at least 0, received {noise}")
    return np.random.default_rng(rng), np.arange(samples, dtype=np.int64) % classes


def _places(y: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """How many points of its class come before each."""
    return np.arange(len(y)) // classes


def _points(across: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.stack([across, along], axis=1).astype(np.float32)
