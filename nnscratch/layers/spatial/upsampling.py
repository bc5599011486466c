"""Upsampling: a small image becomes a large one by repeating its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, SupportsIndex

import numpy as np

from nnscratch.layers.base import Layer, floating
from nnscratch.layers.spatial.im2col import samples_first, samples_last

__all__ = ["Upsample"]


class Upsample(Layer):
    """Each number repeated along the axes of space: y_i = x_⌊i/f⌋, the nearest neighbour.

    Parameters
    ----------
    factor : int or one per axis of space
        f, how often each place is repeated. An int holds for every axis, however many there are.

    Notes
    -----
    *Forward*: y_{fi+j} = x_i for each j < f; in images an f x f square for each pixel.

    *Backward*: Δy_{fi+j} = Δx_i, so ΔL = Σ_i Σ_j dy_{fi+j} Δx_i and dx_i = Σ_j dy_{fi+j}: what is
    used several times gets the sum of its gradients ([Recitation], "when to use = and when to use
    +="). That is f times the mean of `AvgPool1d(f)`, whose backward pass repeats in turn.

    *Shapes*: x (batch, channels, length), (batch, channels, height, width) or with further axes
    of space; y with each of them times its factor. y and dx are views whose memory has the
    samples innermost.

    *Cache*: nothing.

    Raises
    ------
    ValueError
        A factor is no positive int, or x has no axis of space or not one for each factor.

    References
    ----------
    Odena et al., Deconvolution and checkerboard artifacts (2016), "resize-convolution";
    [Recitation] rule 4(b).

    Examples
    --------
    >>> layer = Upsample(2)
    >>> layer.forward([[[1.0, 2.0]]])
    array([[[1., 1., 2., 2.]]])
    >>> layer.backward([[[1.0, 10.0, 3.0, 4.0]]])[0]
    array([[[11.,  7.]]])
    >>> Upsample((2, 3)).forward(np.zeros((5, 4, 7, 7))).shape
    (5, 4, 14, 21)
    """

    def __init__(self, factor: int | Sequence[int]) -> None:
        try:
            if isinstance(factor, SupportsIndex):
                self.factor: int | tuple[int, ...] = index(factor)
            else:
                self.factor = tuple(map(index, factor))
            positive = min(np.ravel(self.factor), default=0) > 0
        except TypeError:
            positive = False
        if not positive:
            raise ValueError(
                f"Upsample expected a positive int or one per axis of space, received {factor!r}"
            )

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        self._check_axes(x)
        rows = samples_last(x)
        for axis, factor in self._factors(x.ndim):
            rows = np.repeat(rows, factor, axis)
        return samples_first(rows), None

    def backward_pass(self, dy: np.ndarray, cache: None) -> np.ndarray:
        rows = samples_last(dy)
        for axis, factor in self._factors(dy.ndim):
            before, length, after = rows.shape[:axis], rows.shape[axis], rows.shape[axis + 1 :]
            rows = rows.reshape(*before, length // factor, factor, *after).sum(axis + 1)
        return samples_first(rows)

    def _factors(self, ndim: int) -> list[tuple[int, int]]:
        """(axis of the rows, factor) for each axis of space that grows."""
        *outer, last = range(ndim - 2)
        axes = (*outer, last + 1)  # the channels stand before the last one
        factors = (self.factor,) * len(axes) if isinstance(self.factor, int) else self.factor
        return [(axis, f) for axis, f in zip(axes, factors, strict=True) if f > 1]

    def _check_axes(self, x: np.ndarray) -> None:
        if isinstance(self.factor, int):
            if x.ndim < 3:
                self.refuse(
                    "(batch, channels, ...) with axes to repeat along",
                    x,
                    "images have the axes batch, channels, height, width",
                )
        elif x.ndim != len(self.factor) + 2:
            self.refuse(
                f"(batch, channels) and {len(self.factor)} axes of space",
                x,
                "give x a channel axis: x[:, np.newaxis]"
                if x.ndim == len(self.factor) + 1
                else "give one factor per axis of space, or one int for all",
            )

    def __repr__(self) -> str:
        return f"Upsample({self.factor})"
