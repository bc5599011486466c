"""Max-pooling: of each window its largest number, which alone gets the gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch import compiled
from nnscratch.layers.spatial.im2col import samples_first, samples_last
from nnscratch.layers.spatial.pooling import Places, Pooling

__all__ = ["MaxPool1d", "MaxPool2d"]

_ONE = (1, 1, 0, 1)  # the windows along an axis of one place


class _MaxPool(Pooling):
    """The passes of both layers, which differ in the axes of space."""

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        rows = self.rows_of(x)
        y, winners = (self.new_output(rows.shape, kind) for kind in (rows.dtype, np.uint8))
        if not self._compiled(rows, y, winners, forward=True):
            y = self.combined(rows, np.maximum, -np.inf)
            winners = _winners(rows, y, self.places(rows.shape))
        return samples_first(y), (winners, rows.shape)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        winners, shape = cache
        dy, dx = samples_last(dy), self.new_input(shape, dy.dtype)
        if self._compiled(dx, dy, winners, forward=False):
            return samples_first(dx)
        won = (winners == element for element in range(self.elements))
        # a mask is multiplied faster as numbers of dy's dtype
        shares = (dy * mask.astype(dy.dtype) for mask in won)
        return self.spread(shares, dx)

    def _compiled(self, x: np.ndarray, y: np.ndarray, winners: np.ndarray, forward: bool) -> bool:
        """Whether a compiled loop knew such rows; a signal is an image of height 1."""
        axes: list[tuple[int, ...]] = [
            (axis.size, axis.stride, axis.before, axis.dilation) for axis in self.axes_on(x.shape)
        ]
        if self.space == 1:
            x, y, winners, axes = x[np.newaxis], y[np.newaxis], winners[np.newaxis], [_ONE, *axes]
        return compiled.max_pool(x, y, winners, forward, *axes[0], *axes[1])


def _winners(rows: np.ndarray, y: np.ndarray, places: Places) -> np.ndarray:
    """The number of each window's winner: how many elements come before the first equal to y."""
    winners = np.zeros(y.shape, np.min_scalar_type(len(places)))
    searching = np.ones(y.shape, bool)
    for windows, seen in places[:-1]:  # if no other element is y, the last one is
        searching[windows] &= rows[seen] != y[windows]
        winners += searching
    if np.isnan(y.max(initial=-np.inf)):  # NaN equals nothing; of several the last one wins
        for element, (windows, seen) in enumerate(places):
            winners[windows][np.isnan(rows[seen])] = element
    return winners


class MaxPool1d(_MaxPool):
    """The largest number of each window of a signal: y_i = max_j x_{si+j}.

    Parameters
    ----------
    kernel_size : int
        Elements of a window.
    stride : int or None
        Steps s from one window to the next; None for kernel_size, windows side by side.
    padding : int, pair (before, after), "valid" or "same"
        Places at the ends of x that never win, at most half the kernel_size. "same" makes
        ⌈length / stride⌉ windows.
    ceil_mode : bool
        Whether what is left over at the end of x gets a window too, which reaches beyond it.
    dilation : int
        Steps from one element of a window to the next.

    Notes
    -----
    *Forward*: y_i = x_w with w the place of the winner, the largest element of window i. Of
    several that are equally large the first wins, in images row by row; NaN is larger than every
    number, and of several the last wins, as in torch. What the windows do not reach is left out.

    *Backward*: a small Δx does not change who wins, so Δy_i = Δx_w and ΔL = Σ_i dy_i Δx_{w(i)}:
    each window passes its dy to its winner, 0 to the others. An element that wins in several
    overlapping windows gets the sum, hence += ([Recitation], "when to use = and when to use +=").
    At a tie max has no derivative; passing all of dy to one of the largest stands for the
    derivative in a direction in which that one grows.

    *Shapes*: x (batch, channels, length); y (batch, channels, windows) with
    windows = ⌊(length + padding at both ends - dilation (kernel_size - 1) - 1) / stride⌋ + 1,
    with `ceil_mode` ⌈⌉ as long as the last window starts on x or before. y and dx are views whose
    memory has the samples innermost.

    *Cache*: the number of each window's winner, in one byte for up to 255 elements; not x.

    Raises
    ------
    ValueError
        x has other axes or no room for a window; an argument is out of its range.

    References
    ----------
    [Recitation] rule 6 with max for g; Goodfellow et al., Deep learning (2016), section 9.3.

    Examples
    --------
    >>> layer = MaxPool1d(3, stride=2)
    >>> layer.forward([[[1.0, 4.0, 5.0, 2.0, 5.0]]])
    array([[[5., 5.]]])
    >>> layer.backward([[[10.0, 1.0]]])[0]
    array([[[ 0.,  0., 11.,  0.,  0.]]])
    """

    space = 1


class MaxPool2d(_MaxPool):
    """The largest number of each window of an image.

    Parameters
    ----------
    kernel_size, stride : int or one per axis
        As in `MaxPool1d`, (vertical, horizontal) if they differ.
    padding : int, one per axis, "valid" or "same"
        An entry per axis is an int or a pair (before, after): ((top, bottom), (left, right)).
    ceil_mode, dilation
        As in `MaxPool1d`.

    Notes
    -----
    *Forward*, *backward*, *cache*: those of `MaxPool1d` with every index a pair; of equally large
    elements the first wins in the order in which one reads the window, row by row.

    *Shapes*: x (batch, channels, height, width); y (batch, channels, rows, columns), along each
    axis as in `MaxPool1d`.

    Raises
    ------
    ValueError
        x has other axes or no room for a window; an argument is out of its range.

    References
    ----------
    Those of `MaxPool1d`.

    Examples
    --------
    >>> layer = MaxPool2d(2)
    >>> x = np.array([[1.0, 2.0, 7.0, 7.0], [4.0, 3.0, 6.0, 7.0]])
    >>> layer.forward(x[np.newaxis, np.newaxis])
    array([[[[4., 7.]]]])
    >>> layer.backward([[[[1.0, 10.0]]]])[0]
    array([[[[ 0.,  0., 10.,  0.],
             [ 1.,  0.,  0.,  0.]]]])
    >>> layer.forward(np.zeros((32, 28, 28)))
    Traceback (most recent call last):
    ValueError: MaxPool2d(2) expected (batch, channels, height, width), received (32, 28, 28);
    (28, 28) images need a channel axis: x[:, np.newaxis]; one sample is a batch of one:
    x[np.newaxis]
    """

    space = 2
