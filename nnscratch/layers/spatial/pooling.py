"""Pooling: windows move over a signal or an image and leave one number each.

What the maximum and the mean have in common is here: arguments, checks, and where the elements
of the windows lie. A window is not cut out. Its elements are taken one after the other, each for
all windows at once (here 2 windows of 3 elements, stride 2, over 5 places):

    places    0 1 2 3 4
    element 0 *   *           x[0:4:2]     the first element of window 0, that of window 1
    element 1   *   *         x[1:4:2]
    element 2     *   *       x[2:5:2]

so that pooling is as many NumPy calls as a window has elements, on long slices. Forward it is
even fewer: the maximum of a window is that of its columns' maxima, and so is the sum. In memory
the samples lie innermost, as the layers with kernels leave their images (im2col.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.spatial.im2col import samples_first, samples_last
from nnscratch.layers.spatial.windows import (
    Padding,
    Windows,
    one_or_all,
    places_of_elements,
    windows_per_axis,
    written_padding,
)
from nnscratch.layers.written import written

Index = tuple[slice, ...]
# for each element of a window, row by row: which windows have it, and where in x they see it
Places = tuple[tuple[Index, Index], ...]


class Pooling(Layer):
    """Windows over the axes of space; not a layer by itself.

    A subclass says how many axes there are (`space`) and writes the passes.
    """

    space: int

    @checks_kinds
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        dilation: int | Sequence[int] = 1,
    ) -> None:
        name = type(self).__name__
        self.ceil_mode = bool(ceil_mode)
        stride = kernel_size if stride is None else stride
        self.windows = windows_per_axis(
            name, self.space, kernel_size, stride, padding, dilation, self.ceil_mode
        )
        if any(max(axis.before, axis.after) > axis.extent // 2 for axis in self.windows):
            raise ValueError(
                f"{name} expected padding of at most half the kernel_size {kernel_size}, received "
                f"{padding!r}; a window could lie on nothing else"
            )
        self.elements = prod(axis.size for axis in self.windows)  # of a window
        self._overlap = any(axis.stride < axis.extent for axis in self.windows)

    @property
    def kernel_size(self) -> Any:
        return one_or_all([axis.size for axis in self.windows])

    @property
    def stride(self) -> Any:
        strides = [axis.stride for axis in self.windows]
        return None if strides == [axis.size for axis in self.windows] else one_or_all(strides)

    @property
    def padding(self) -> Any:
        return written_padding(self.windows)

    @property
    def dilation(self) -> Any:
        return one_or_all([axis.dilation for axis in self.windows])

    def rows_of(self, x: Any) -> np.ndarray:
        """Checked input as rows."""
        x = floating(x)
        if x.ndim != self.space + 2:
            axes = "length" if self.space == 1 else "height, width"
            self.refuse(f"(batch, channels, {axes})", x, self._remedy(x))
        if not self._has_room(x.shape[2:]):
            least = " x ".join(str(axis.least) for axis in self.windows)
            self.refuse(
                f"a {'length' if self.space == 1 else 'height x width'} of at least {least}",
                x,
                "take a smaller kernel_size"
                + (
                    ", or if the channels stand last: np.moveaxis(x, -1, 1)"
                    if self._has_room(x.shape[1:-1])
                    else " or leave more of x before this layer"
                ),
            )
        return samples_last(x)

    def axes_on(self, shape: tuple[int, ...]) -> tuple[Windows, ...]:
        """The windows along the axes of space of x's rows of this shape, padding in numbers."""
        lengths = _of_space(shape)
        return tuple(axis.on(n) for axis, n in zip(self.windows, lengths, strict=True))

    def combined(self, rows: np.ndarray, combine: np.ufunc, outside: float) -> np.ndarray:
        """The elements of each window combined, along one axis after the other.

        The padding's places count as `outside`.
        """
        for windows, axis in zip(
            self.axes_on(rows.shape), (*range(self.space - 1), rows.ndim - 2), strict=True
        ):
            rows = _combined_along(axis, rows, windows, combine, outside)
        return rows

    def places(self, shape: tuple[int, ...]) -> Places:
        """Where the elements of the windows lie in x's rows of this shape."""
        return _places(self.axes_on(shape), _of_space(shape))

    def new_output(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """The rows of y, from the shape of those of x."""
        counts = [
            axis.count(n) for axis, n in zip(self.axes_on(shape), _of_space(shape), strict=True)
        ]
        *outer, last = counts
        return np.empty((*outer, shape[-3], last, shape[-1]), dtype)

    def new_input(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """The rows of dx, 0 where no window will write."""
        return np.empty(shape, dtype) if self._tile(shape) else np.zeros(shape, dtype)

    def spread(self, shares: Iterable[np.ndarray], dx: np.ndarray) -> np.ndarray:
        """dx as images, from its `new_input` and what each element of the windows gets.

        There is one share for each element, shaped as the rows of dy.
        """
        for share, (windows, seen) in zip(shares, self.places(dx.shape), strict=True):
            if self._overlap:
                dx[seen] += share[windows]
            else:  # a place belongs to one window at most, and = is faster than +=
                dx[seen] = share[windows]
        return samples_first(dx)

    def _tile(self, shape: tuple[int, ...]) -> bool:
        """Whether each place of x's rows belongs to exactly one window."""
        return all(
            axis == Windows(axis.size, axis.size) and length % axis.size == 0
            for axis, length in zip(self.axes_on(shape), _of_space(shape), strict=True)
        )

    def _has_room(self, space: tuple[int, ...]) -> bool:
        pairs = zip(self.windows, space, strict=True)
        return all(length > 0 and axis.on(length).count(length) > 0 for axis, length in pairs)

    def _remedy(self, x: np.ndarray) -> str:
        if x.ndim == self.space + 1:
            return (
                f"{'signals' if self.space == 1 else f'{x.shape[1:]} images'} need a channel axis: "
                "x[:, np.newaxis]; one sample is a batch of one: x[np.newaxis]"
            )
        return "give x the axes batch and channels, then those of space"

    def __repr__(self) -> str:
        return written(self)


def _of_space(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The lengths of the axes of space, from the shape of rows."""
    *outer, _, last, _ = shape
    return (*outer, last)


def _combined_along(
    axis: int, rows: np.ndarray, windows: Windows, combine: np.ufunc, outside: float
) -> np.ndarray:
    """A new array, in which this axis counts windows."""
    before = (slice(None),) * axis
    length = rows.shape[axis]
    whole = length + windows.before + windows.after
    if whole > length:
        padded = np.full((*rows.shape[:axis], whole, *rows.shape[axis + 1 :]), outside, rows.dtype)
        padded[*before, windows.before : windows.before + length] = rows
        rows, windows = padded, replace(windows, before=0, after=0)
    first, *others = (rows[*before, seen] for _, seen in places_of_elements(windows, whole))
    y = combine(first, others.pop(0)) if others else first.copy()
    for other in others:
        combine(y, other, out=y)
    return y


@lru_cache(64)  # training asks for the same few shapes in every step
def _places(axes: tuple[Windows, ...], space: tuple[int, ...]) -> Places:
    """Where the elements of windows lie in rows with these axes of space.

    With padding, an element is missing from the windows in which it lies outside of x.
    """
    inside = [places_of_elements(axis, length) for axis, length in zip(axes, space, strict=True)]
    pairs = [tuple(zip(*element, strict=True)) for element in product(*inside)]
    return tuple((_past_channels(windows), _past_channels(seen)) for windows, seen in pairs)


def _past_channels(slices: Sequence[slice]) -> Index:
    """Slices of the axes of space as an index into rows, where the channels stand between."""
    *outer, last = slices
    return (*outer, slice(None), last)
