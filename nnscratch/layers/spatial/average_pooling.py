"""Average-pooling: of each window the mean."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, reduce
from itertools import repeat
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.spatial.im2col import samples_first, samples_last
from nnscratch.layers.spatial.pooling import Pooling
from nnscratch.layers.spatial.windows import Padding, Windows
from nnscratch.layers.wider import widened

__all__ = ["AvgPool1d", "AvgPool2d"]


class _AvgPool(Pooling):
    """The passes of both layers, which differ in the axes of space."""

    @checks_kinds
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] | None = None,
        padding: Padding = 0,
        ceil_mode: bool = False,
        dilation: int | Sequence[int] = 1,
        count_padding: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, dilation)
        self.count_padding = bool(count_padding)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        rows = self.rows_of(x)
        y = self.combined(widened(rows), np.add, 0)
        y /= self._counts(rows.shape, y.dtype)
        return samples_first(y.astype(rows.dtype, copy=False)), rows.shape

    def backward_pass(self, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        share = samples_last(dy) / self._counts(shape, dy.dtype)
        return self.spread(repeat(share, self.elements), self.new_input(shape, dy.dtype))

    def _counts(self, shape: tuple[int, ...], dtype: np.dtype) -> Any:
        """k, or where it differs from window to window an array along the axes of the rows."""
        *outer, _, last, _ = shape
        each = [
            _counted(axis, length, self.count_padding)
            for axis, length in zip(self.windows, (*outer, last), strict=True)
        ]
        if all(set(counts) <= {axis.size} for counts, axis in zip(each, self.windows, strict=True)):
            return self.elements
        product = reduce(np.multiply.outer, [np.array(counts, dtype) for counts in each])
        return product[..., np.newaxis, :, np.newaxis]


@lru_cache(64)  # training asks for the same few in every step
def _counted(windows: Windows, length: int, count_padding: bool) -> tuple[int, ...]:
    """How many elements of each window along an axis count; 1 where none does."""
    on = windows.on(length)
    low, high = 0, length
    if count_padding:  # what ceil_mode adds to it does not count, as in torch
        low -= on.before
        high += on.after if windows.fit == "same" else windows.after
    return tuple(max(count, 1) for count in on.seen(length, low, high))


class AvgPool1d(_AvgPool):
    """The mean of each window of a signal: y_i = (1/k) Σ_j x_{si+j}.

    Parameters
    ----------
    kernel_size : int
        Elements k of a window.
    stride : int or None
        Steps s from one window to the next; None for kernel_size, windows side by side.
    padding : int, pair (before, after), "valid" or "same"
        Zeros at the ends of x, at most half the kernel_size. "same" makes ⌈length / stride⌉
        windows.
    ceil_mode : bool
        Whether what is left over at the end of x gets a window too, which reaches beyond it.
    dilation : int
        Steps from one element of a window to the next.
    count_padding : bool
        Whether the zeros of the padding count in the mean, as in torch, or only the places of x,
        as in TensorFlow. What `ceil_mode` adds beyond them never counts.

    Notes
    -----
    *Forward*: y_i = (1/k) Σ_j x_{si+j}, which is the correlation of each channel with the kernel
    of k times 1/k. k counts the elements on x and its padding, without `count_padding` those on
    x alone.

    *Backward*: Δy_i = (1/k) Σ_j Δx_{si+j}, so each window passes dy_i/k to each of its elements,
    as the mean of [Operators] 2.1 does. An element of several overlapping windows gets the sum,
    hence += ([Recitation], "when to use = and when to use +=").

    *Shapes*: x (batch, channels, length); y (batch, channels, windows) with
    windows = ⌊(length + padding at both ends - dilation (kernel_size - 1) - 1) / stride⌋ + 1,
    with `ceil_mode` ⌈⌉ as long as the last window starts on x or before. y and dx are views whose
    memory has the samples innermost.

    *Cache*: the shape of x.

    Raises
    ------
    ValueError
        x has other axes or no room for a window; an argument is out of its range.

    References
    ----------
    [Operators] 2.1; [Proofs] 6 for the correlation.

    Examples
    --------
    >>> layer = AvgPool1d(2, stride=1)
    >>> layer.forward([[[1.0, 3.0, 7.0]]])
    array([[[2., 5.]]])
    >>> layer.backward([[[2.0, 20.0]]])[0]
    array([[[ 1., 11., 10.]]])
    """

    space = 1


class AvgPool2d(_AvgPool):
    """The mean of each window of an image.

    Parameters
    ----------
    kernel_size, stride : int or one per axis
        As in `AvgPool1d`, (vertical, horizontal) if they differ.
    padding : int, one per axis, "valid" or "same"
        An entry per axis is an int or a pair (before, after): ((top, bottom), (left, right)).
    ceil_mode, dilation, count_padding
        As in `AvgPool1d`.

    Notes
    -----
    *Forward*, *backward*, *cache*: those of `AvgPool1d` with every index a pair, and k the number
    of all elements of a window.

    *Shapes*: x (batch, channels, height, width); y (batch, channels, rows, columns), along each
    axis as in `AvgPool1d`.

    Raises
    ------
    ValueError
        x has other axes or no room for a window; an argument is out of its range.

    References
    ----------
    Those of `AvgPool1d`.

    Examples
    --------
    >>> layer = AvgPool2d(2)
    >>> layer.forward([[[[1.0, 2.0, 0.0], [3.0, 6.0, 0.0]]]])
    array([[[[3.]]]])
    >>> layer.backward([[[[4.0]]]])[0]
    array([[[[1., 1., 0.],
             [1., 1., 0.]]]])
    """

    space = 2
