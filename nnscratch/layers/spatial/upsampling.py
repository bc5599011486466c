"""Upsampling: a small image becomes a large one, by repeated pixels or straight lines."""

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

__all__ = ["Upsample"]


class Upsample(Layer):
    """Each number repeated along the axes of space, or with numbers on straight lines between.

    Parameters
    ----------
    factor : int or one per axis of space
        f, how often each place is repeated. An int holds for every axis, however many there are.
    mode : "nearest" or "linear"
        Whether y_i = x_⌊i/f⌋, the nearest neighbour, or on the line between the two nearest; on
        images that is bilinear.

    Notes
    -----
    *Forward*, nearest: y_{fi+j} = x_i for each j < f; in images an f x f square for each pixel.

    *Backward*, nearest: Δy_{fi+j} = Δx_i, so ΔL = Σ_i Σ_j dy_{fi+j} Δx_i and dx_i = Σ_j dy_{fi+j}:
    what is used several times gets the sum of its gradients ([Recitation], "when to use = and when
    to use +="). That is f times the mean of `AvgPool1d(f)`, whose backward pass repeats in turn.

    *Forward*, linear: a place is as wide as f places of y and its number stands in its middle
    (torch's align_corners=False). The middle of place fi+j of y then lies at i + t_j on the axis
    of x, with t_j = (j + 1/2)/f - 1/2 between -1/2 and 1/2, so y_{fi+j} = (1 - |t_j|) x_i +
    |t_j| x_{i±1}, with - for t_j < 0. Beyond the ends of x its last number goes on.

    *Backward*, linear: the transpose, dx_i = Σ_j (1 - |t_j|) dy_{fi+j}, and Σ |t_j| dy_{f(i±1)+j}
    over the j whose neighbour x_i is. Several axes come one after the other, forward and
    backward in any order: what is linear along one axis commutes with what is along another.

    *Shapes*: x (batch, channels, length), (batch, channels, height, width) or with further axes
    of space; y with each of them times its factor. y and dx are views whose memory has the
    samples innermost.

    *Cache*: nothing.

    Raises
    ------
    ValueError
        A factor is no positive int, the mode is another, or x has no axis of space or not one for
        each factor.

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
    >>> Upsample(2, mode="linear").forward([[[1.0, 2.0]]])
    array([[[1.  , 1.25, 1.75, 2.  ]]])
    >>> Upsample((2, 3)).forward(np.zeros((5, 4, 7, 7))).shape
    (5, 4, 14, 21)
    """

    @checks_kinds
    def __init__(self, factor: int | Sequence[int], mode: str = "nearest") -> None:
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

        if mode not in ("nearest", "linear"):
            raise ValueError(f'Upsample expected mode="nearest" or "linear", received {mode!r}')
        self.mode = mode

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        self._check_axes(x)
        rows = samples_last(x)
        stretch = np.repeat if self.mode == "nearest" else _interpolated
        for axis, factor in self._factors(x.ndim):
            rows = stretch(rows, factor, axis)
        return samples_first(rows), None

    def backward_pass(self, dy: np.ndarray, cache: None) -> np.ndarray:
        rows = samples_last(dy)
        for axis, factor in self._factors(dy.ndim):
            before, length, after = rows.shape[:axis], rows.shape[axis], rows.shape[axis + 1 :]
            copies = rows.reshape(*before, length // factor, factor, *after)
            if self.mode == "nearest":
                rows = summed(copies, axis + 1)
            else:
                rows = _led_back(np.moveaxis(copies, axis + 1, 0), axis)
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
        return written(self)


def _offsets(factor: int) -> list[float]:
    """t_j: where the places of y that belong to one of x lie beside its middle."""
    return [(j + 0.5) / factor - 0.5 for j in range(factor)]


def _interpolated(rows: np.ndarray, factor: int, axis: int) -> np.ndarray:
    """The forward pass along one axis."""
    here = (slice(None),) * axis
    first, last = rows[*here, :1], rows[*here, -1:]
    previous = np.concatenate([first, rows[*here, :-1]], axis)
    following = np.concatenate([rows[*here, 1:], last], axis)
    parts = [rows + abs(t) * ((previous if t < 0 else following) - rows) for t in _offsets(factor)]
    before, length, after = rows.shape[:axis], rows.shape[axis], rows.shape[axis + 1 :]
    return np.stack(parts, axis + 1).reshape(*before, length * factor, *after)


def _led_back(parts: np.ndarray, axis: int) -> np.ndarray:
    """The backward pass along one axis, from dy_{fi+j} as parts[j]."""
    dx, to_previous, to_following = (np.zeros_like(parts[0]) for _ in range(3))
    for part, t in zip(parts, _offsets(len(parts)), strict=True):
        dx += (1 - abs(t)) * part
        (to_previous if t < 0 else to_following)[...] += abs(t) * part
    here = (slice(None),) * axis
    dx[*here, :-1] += to_previous[*here, 1:]
    dx[*here, :1] += to_previous[*here, :1]
    dx[*here, 1:] += to_following[*here, :-1]
    dx[*here, -1:] += to_following[*here, -1:]
    return dx
