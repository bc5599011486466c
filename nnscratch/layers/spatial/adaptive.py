"""Pooling to a size that is asked for: the windows follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.spatial.im2col import samples_first, samples_last
from nnscratch.layers.spatial.windows import one_or_all, per_axis
from nnscratch.layers.written import written

__all__ = ["AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d"]


class _Adaptive(Layer):
    """One axis of space after the other, window by window; not a layer by itself."""

    space: int

    @checks_kinds
    def __init__(self, size: int | Sequence[int]) -> None:
        self._sizes = per_axis(type(self).__name__, "size", size, self.space)

    @property
    def size(self) -> Any:
        return one_or_all(self._sizes)

    def _rows_of(self, x: Any) -> np.ndarray:
        x = floating(x)
        if x.ndim != self.space + 2 or 0 in x.shape[2:]:
            axes = "length" if self.space == 1 else "height, width"
            remedy = "give x the axes batch and channels, then those of space, none of them empty"
            self.refuse(f"(batch, channels, {axes})", x, remedy)
        return samples_last(x)

    def _axes(self) -> list[tuple[int, int]]:
        """(axis of the rows, windows on it), the last axis first: windows are read row by row."""
        axes = (*range(self.space - 1), self.space)
        return list(zip(axes, self._sizes, strict=True))[::-1]

    def __repr__(self) -> str:
        return written(self)


class _AdaptiveAvgPool(_Adaptive):
    """The passes of both layers, which differ in the axes of space."""

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        rows = self._rows_of(x)
        shapes = []
        for axis, count in self._axes():
            shapes.append(rows.shape)
            means = [part.mean(axis) for part in _parts(rows, axis, count)]
            rows = np.stack(means, axis)
        return samples_first(rows), shapes

    def backward_pass(self, dy: np.ndarray, shapes: list[tuple[int, ...]]) -> np.ndarray:
        rows = samples_last(dy)
        for (axis, count), shape in zip(reversed(self._axes()), reversed(shapes), strict=True):
            dx = np.zeros(shape, rows.dtype)
            each = _parts(rows, axis, rows.shape[axis])
            for part, share in zip(_parts(dx, axis, count), each, strict=True):
                part += share / part.shape[axis]
            rows = dx
        return samples_first(rows)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The means of windows that divide a signal, of any length, into `size` parts.

    Parameters
    ----------
    size : int
        How many windows there are.

    Notes
    -----
    *Forward*: y_i is the mean over the places from ⌊i L/size⌋ to ⌈(i+1) L/size⌉ - 1 of the L
    places of x, as in torch. Where size divides L that is `AvgPool1d(L / size)`; else windows
    share a place with their neighbours, and where size is above L they repeat.

    *Backward*: each window passes dy_i/k to its k places, as in `AvgPool1d`; a place of several
    windows gets the sum, hence += ([Recitation], "when to use = and when to use +=").

    *Shapes*: x (batch, channels, length); y (batch, channels, size).

    *Cache*: the shape of x.

    Raises
    ------
    ValueError
        x has other axes or an empty one; size is no positive int.

    References
    ----------
    [Operators] 2.1; He et al., Spatial pyramid pooling (2014), for the windows.

    Examples
    --------
    >>> layer = AdaptiveAvgPool1d(2)
    >>> layer.forward([[[1.0, 2.0, 6.0]]])
    array([[[1.5, 4. ]]])
    >>> layer.backward([[[2.0, 20.0]]])[0]
    array([[[ 1., 11., 10.]]])
    """

    space = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The means of windows that divide an image, of any size, into so many rows and columns.

    Parameters
    ----------
    size : int or one per axis
        How many windows there are along each axis.

    Notes
    -----
    Along each axis as in `AdaptiveAvgPool1d`: the mean of a rectangle is that of its rows' means.

    *Shapes*: x (batch, channels, height, width); y (batch, channels, *size).

    *Cache*: the shapes of x and of the means of its rows.

    Examples
    --------
    >>> layer = AdaptiveAvgPool2d((1, 2))
    >>> layer.forward([[[[1.0, 2.0, 6.0], [3.0, 4.0, 0.0]]]])
    array([[[[2.5, 3. ]]]])
    """

    space = 2


class _AdaptiveMaxPool(_Adaptive):
    """The passes of both layers, which differ in the axes of space."""

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        rows = self._rows_of(x)
        kept = []
        for axis, count in self._axes():
            parts = _parts(rows, axis, count)
            maxima = [part.max(axis) for part in parts]
            winners = [_first(part, y, axis) for part, y in zip(parts, maxima, strict=True)]
            kept.append((rows.shape, winners))
            rows = np.stack(maxima, axis)
        return samples_first(rows), kept

    def backward_pass(self, dy: np.ndarray, kept: list[Any]) -> np.ndarray:
        rows = samples_last(dy)
        for (axis, count), (shape, winners) in zip(
            reversed(self._axes()), reversed(kept), strict=True
        ):
            dx = np.zeros(shape, rows.dtype)
            each = zip(_parts(rows, axis, count=rows.shape[axis]), winners, strict=True)
            for part, (share, winner) in zip(_parts(dx, axis, count), each, strict=True):
                places = np.arange(part.shape[axis]).reshape(-1, *(1,) * (part.ndim - axis - 1))
                part += share * (np.expand_dims(winner, axis) == places)
            rows = dx
        return samples_first(rows)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The maxima of windows that divide a signal, of any length, into `size` parts.

    Parameters
    ----------
    size : int
        How many windows there are, those of `AdaptiveAvgPool1d`.

    Notes
    -----
    *Forward*: y_i = max x over window i. Of several that are equally large the first wins; NaN is
    larger than every number.

    *Backward*: as in `MaxPool1d`: each window passes its dy to its winner, and an element that
    wins in several windows gets the sum.

    *Shapes*: x (batch, channels, length); y (batch, channels, size).

    *Cache*: the shape of x and the winners.

    Raises
    ------
    ValueError
        x has other axes or an empty one; size is no positive int.

    Examples
    --------
    >>> layer = AdaptiveMaxPool1d(2)
    >>> layer.forward([[[1.0, 6.0, 2.0]]])
    array([[[6., 6.]]])
    >>> layer.backward([[[2.0, 20.0]]])[0]
    array([[[ 0., 22.,  0.]]])
    """

    space = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The maxima of windows that divide an image, of any size, into so many rows and columns.

    Parameters
    ----------
    size : int or one per axis
        How many windows there are along each axis.

    Notes
    -----
    Along each axis as in `AdaptiveMaxPool1d`: the maximum of a rectangle is that of its rows'
    maxima. Of equally large elements the first wins in the order in which one reads the window.

    *Shapes*: x (batch, channels, height, width); y (batch, channels, *size).

    *Cache*: the winners of the rows, and of the columns of these.

    Examples
    --------
    >>> layer = AdaptiveMaxPool2d((1, 2))
    >>> layer.forward([[[[1.0, 2.0, 6.0], [3.0, 4.0, 0.0]]]])
    array([[[[4., 6.]]]])
    """

    space = 2


def _first(part: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    """The number of the first element along an axis that is y, or NaN where y is.

    Several times faster than argmax, which looks at each run of numbers for itself.
    """
    elements = np.moveaxis(part, axis, 0)
    number = np.zeros(y.shape, np.min_scalar_type(len(elements)))
    searching = np.ones(y.shape, bool)
    some_nan = np.isnan(y).any()
    for element in elements[:-1]:  # if no other element is y, the last one is
        found = element == y
        if some_nan:
            found |= np.isnan(element)
        searching &= ~found
        number += searching
    return number


def _parts(rows: np.ndarray, axis: int, count: int) -> list[np.ndarray]:
    """Views of rows, one for each of so many windows along an axis."""
    before = (slice(None),) * axis
    return [rows[*before, places] for places in _windows(rows.shape[axis], count)]


@lru_cache(64)  # training asks for the same few in every step
def _windows(length: int, count: int) -> tuple[slice, ...]:
    """Where windows lie that divide an axis: from ⌊i length/count⌋ up to ⌈(i+1) length/count⌉.

    >>> _windows(5, 2)
    (slice(0, 3, None), slice(2, 5, None))
    """
    return tuple(slice(i * length // count, -(-(i + 1) * length // count)) for i in range(count))
