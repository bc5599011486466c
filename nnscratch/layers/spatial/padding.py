"""Padding by itself: a signal or an image made longer at its ends."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, SupportsIndex

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.spatial.im2col import samples_first, samples_last
from nnscratch.layers.wider import summed
from nnscratch.layers.written import written

__all__ = ["Pad"]

Widths = int | Sequence[int | tuple[int, int]]
_MODES = {"zeros": "constant", "reflect": "reflect", "edge": "edge"}  # here -> np.pad


class Pad(Layer):
    """More places at the ends of the axes of space: zeros, a mirror image, or the last ones.

    Parameters
    ----------
    widths : int, or one entry per axis of space
        How many places to add. An int holds for both ends of every axis, however many there are;
        an entry is an int for both ends or a pair (before, after), as in ((1, 2),) for a signal
        and ((top, bottom), (left, right)) for an image.
    mode : "zeros", "reflect" or "edge"
        What they hold: 0; the places x_1, x_2, ... from the end inwards, as in a mirror that
        stands on x_0; or x_0 itself.

    Notes
    -----
    *Forward*: for one axis and its beginning, y_{b-j} is 0, x_j or x_0, with y_b = x_0.

    *Backward*: each place of y is a copy of one of x or constant, so the gradients of all copies
    add up ([Recitation], rule 4(b)): those of the places between, and at each end those of the
    padding in the reversed order ("reflect") or in sum ("edge"). Several axes are padded one after
    the other, and led back in the reverse order.

    *Shapes*: x (batch, channels, length), (batch, channels, height, width) or with further axes
    of space; y with each of them longer. y and dx are views whose memory has the samples
    innermost.

    *Cache*: nothing.

    Raises
    ------
    ValueError
        A width is negative or there is not one per axis; the mode is another; "reflect" asks for
        more places than x has beside its end, "edge" for copies of none.

    References
    ----------
    [Recitation] rule 4(b), with a selection as the Jacobian.

    Examples
    --------
    >>> layer = Pad(((1, 2),), mode="reflect")
    >>> layer.forward([[[1.0, 2.0, 3.0]]])
    array([[[2., 1., 2., 3., 2., 1.]]])
    >>> layer.backward([[[1.0, 10.0, 100.0, 1000.0, 1.0, 2.0]]])[0]
    array([[[  12.,  102., 1000.]]])
    >>> Pad(1, "edge").forward([[[[5.0]]]])
    array([[[[5., 5., 5.],
             [5., 5., 5.],
             [5., 5., 5.]]]])
    """

    @checks_kinds
    def __init__(self, widths: Widths, mode: str = "zeros") -> None:
        self.widths: Any = widths
        try:
            if isinstance(widths, SupportsIndex):
                self.widths, pairs = index(widths), [(index(widths),) * 2]
            else:
                self.widths = tuple(
                    index(entry) if isinstance(entry, SupportsIndex) else tuple(map(index, entry))
                    for entry in widths
                )
                pairs = [_pair(entry) for entry in self.widths]
        except TypeError:
            pairs = []
        if not pairs or any(len(pair) != 2 or min(pair) < 0 for pair in pairs):
            raise ValueError(
                "Pad expected an int of at least 0, or for each axis of space an int or a pair "
                f"(before, after), received {widths!r}; Index takes places away"
            )
        if mode not in _MODES:
            raise ValueError(f'Pad expected mode="zeros", "reflect" or "edge", received {mode!r}')
        self.mode = mode

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        pairs = self._pairs(x.ndim)
        if len(pairs) != x.ndim - 2 or not pairs:
            remedy = "give one entry per axis of space, or one int for all"
            if len(pairs) == 2 and x.ndim == 3 and isinstance(self.widths[0], int):
                remedy = f"write {written(self, widths=(self.widths,))} for the ends of a signal"
            self.refuse(f"(batch, channels) and {len(pairs) or 'some'} axes of space", x, remedy)
        least = [self._least(max(pair)) for pair in pairs]
        if any(n < places for n, places in zip(x.shape[2:], least, strict=True)):
            sizes = " x ".join(map(str, least))
            self.refuse(f"{sizes} places to copy from", x, 'pad less, or with mode="zeros"')
        rows = samples_last(x)
        *outer, last = pairs
        widths = [*outer, (0, 0), last, (0, 0)]
        y = np.pad(rows, widths, mode=_MODES[self.mode])  # type: ignore[call-overload]  # NumPy's words
        return samples_first(y), None

    def backward_pass(self, dy: np.ndarray, cache: None) -> np.ndarray:
        rows = samples_last(dy)
        axes = (*range(dy.ndim - 3), dy.ndim - 2)
        for axis, (before, after) in zip(axes, self._pairs(dy.ndim), strict=True):
            rows = self._led_back(rows, axis, before, after)
        return samples_first(rows)

    def _led_back(self, rows: np.ndarray, axis: int, before: int, after: int) -> np.ndarray:
        """The gradient by an axis without the places that were added to it."""
        stop = rows.shape[axis] - after
        beginning, between, end = np.split(rows, [before, stop], axis)
        if self.mode == "zeros":
            return between
        into = between.copy()
        places = np.moveaxis(into, axis, 0)
        beginning, end = np.moveaxis(beginning, axis, 0), np.moveaxis(end, axis, 0)
        if self.mode == "reflect":
            n = len(places)
            places[1 : before + 1] += beginning[::-1]
            places[n - 1 - after : n - 1] += end[::-1]
        elif before or after:
            places[0] += summed(beginning, 0)
            places[-1] += summed(end, 0)
        return into

    def _least(self, width: int) -> int:
        """How many places an axis needs that gets so many more at an end."""
        return (
            0 if self.mode == "zeros" or not width else width + 1 if self.mode == "reflect" else 1
        )

    def _pairs(self, ndim: int) -> list[tuple[int, int]]:
        if isinstance(self.widths, int):
            return [(self.widths, self.widths)] * (ndim - 2)
        return [_pair(entry) for entry in self.widths]

    def __repr__(self) -> str:
        return written(self)


def _pair(entry: Any) -> Any:
    return (entry, entry) if isinstance(entry, int) else entry
