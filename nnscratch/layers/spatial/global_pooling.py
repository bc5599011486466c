"""Pooling over all of space: one number for each channel."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer, floating
from nnscratch.layers.normalization.frames import sum_over
from nnscratch.layers.spatial.im2col import samples_first, samples_last
from nnscratch.layers.wider import widened

__all__ = ["GlobalAvgPool", "GlobalMaxPool"]


class GlobalAvgPool(Layer):
    """The mean of each channel over all of space: (batch, channels, *space) to (batch, channels).

    Notes
    -----
    *Forward*: y = (1/n) Σ x over the n places of a channel.

    *Backward*: each place gets dy/n, as in `AvgPool1d` with one window over everything.

    *Shapes*: x (batch, channels, length), (batch, channels, height, width) or with any further
    axes of space; y (batch, channels). dx is a view whose memory has the samples innermost.

    *Cache*: the shape of x.

    Raises
    ------
    ValueError
        x has no axis of space, or one without places.

    References
    ----------
    Lin et al., Network in network (2013), section 3.2.

    Examples
    --------
    >>> layer = GlobalAvgPool()
    >>> layer.forward([[[[1.0, 2.0], [3.0, 6.0]]]])
    array([[3.]])
    >>> layer.backward([[4.0]])[0]
    array([[[[1., 1.],
             [1., 1.]]]])
    """

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = _with_places(self, x)
        space = tuple(range(2, x.ndim))
        mean = sum_over(space, widened(x)) / prod(x.shape[2:])
        return mean.astype(x.dtype, copy=False), x.shape

    def backward_pass(self, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        space = shape[2:]
        share = dy / prod(space)
        rows = samples_last(share.reshape(*share.shape, *(1 for _ in space)))
        *outer, last = space
        everywhere = (*outer, shape[1], last, shape[0])
        return samples_first(np.broadcast_to(rows, everywhere).copy())


class GlobalMaxPool(Layer):
    """The largest number of each channel: (batch, channels, *space) to (batch, channels).

    Notes
    -----
    *Forward*: y = max x over the places of a channel. Of several that are equally large the first
    wins; NaN is larger than every number.

    *Backward*: the winner gets dy, the others 0, as in `MaxPool1d` with one window over everything.

    *Shapes*: x (batch, channels, length), (batch, channels, height, width) or with any further
    axes of space; y (batch, channels). dx is a view whose memory has the samples innermost.

    *Cache*: the shape of x and the winners.

    Raises
    ------
    ValueError
        x has no axis of space, or one without places.

    References
    ----------
    Oquab et al., Is object localization for free? (2015), section 3.

    Examples
    --------
    >>> layer = GlobalMaxPool()
    >>> layer.forward([[[[1.0, 2.0], [6.0, 3.0]]]])
    array([[6.]])
    >>> layer.backward([[4.0]])[0]
    array([[[[0., 0.],
             [4., 0.]]]])
    """

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = _with_places(self, x)
        places = x.reshape(*x.shape[:2], prod(x.shape[2:]))
        winners = places.argmax(2)[..., np.newaxis]
        return np.take_along_axis(places, winners, 2)[..., 0], (winners, x.shape)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        winners, shape = cache
        *outer, last = shape[2:]
        rows = np.zeros((*outer, shape[1], last, shape[0]), dy.dtype)
        dx = samples_first(rows)
        where = np.unravel_index(winners[..., 0], shape[2:])
        sample, channel = np.indices(shape[:2], sparse=True)
        dx[sample, channel, *where] = dy
        return dx


def _with_places(layer: Layer, x: Any) -> np.ndarray:
    x = floating(x)
    if x.ndim < 3 or 0 in x.shape[2:]:
        layer.refuse(
            "(batch, channels, ...) with places to look at",
            x,
            "images have the axes batch, channels, height, width",
        )
    return x
