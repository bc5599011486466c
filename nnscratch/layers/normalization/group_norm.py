"""Normalization within each sample, over groups of its channels or each channel alone."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.normalization.frames import combined, frame_of, scaled, sums
from nnscratch.layers.normalization.standardize import (
    checked_epsilon,
    gamma_and_beta,
    moments,
    share,
)
from nnscratch.layers.wider import narrowed, widened
from nnscratch.layers.written import written

__all__ = ["GroupNorm", "InstanceNorm"]


class GroupNorm(Layer):
    """Normalize groups of channels within each sample, then scale and shift each channel.

    Parameters
    ----------
    groups : int
        1 normalizes over all channels together, `channels` each channel alone.
    channels : int
        The size of axis 1, which `groups` divides.
    epsilon : float
        Added to the variance.
    affine : bool
        Whether there are gamma and beta; without them y = xhat.

    Notes
    -----
    *Forward*: neighbouring channels make up a group. xhat = (x - mean) / σ with
    σ² = var + epsilon, mean and biased variance over the channels and places of a group in one
    sample; y = gamma · xhat + beta with one gamma and beta per channel.

    *Gradient*: dgamma = Σ dy ∘ xhat and dbeta = Σ dy over samples and places.

    *Backward*: dxhat = gamma · dy, and from there as derived in `BatchNorm`, with the means over
    a group: dx = (1/σ) (dxhat - mean(dxhat) - xhat · mean(dxhat ∘ xhat)). All four sums follow
    from two, Σ dy and Σ dy ∘ x over the places of one channel in one sample: gamma and σ are
    constant there.

    *Shapes*: x and y (batch, channels) or (batch, channels, ...); gamma and beta (channels,).
    Inside, the channels are two axes, (groups, channels / groups).

    *Cache*: x, or x - mean where the mean is far from 0, with its mean, and 1/σ; the channels as
    two axes.

    Raises
    ------
    ValueError
        x has another shape; a size is not positive, groups does not divide channels, or epsilon
        is negative.

    References
    ----------
    Wu and He, Group normalization (2018), section 3; [Operators] 2 with other axes.

    Examples
    --------
    >>> layer = GroupNorm(2, 4)
    >>> layer.forward(np.array([[1.0, 3.0, 30.0, 10.0]])).round(3)
    array([[-1.,  1.,  1., -1.]], dtype=float32)
    """

    @checks_kinds
    def __init__(
        self, groups: int, channels: int, epsilon: float = 1e-5, affine: bool = True
    ) -> None:
        name = type(self).__name__
        self.groups, self.channels = index(groups), index(channels)
        if self.groups < 1 or self.channels < 1 or self.channels % self.groups:
            raise ValueError(
                f"{name} expected a number of channels that its groups divide, received "
                f"{groups} groups of {channels} channels"
            )
        self.epsilon = checked_epsilon(name, epsilon)
        self.affine = bool(affine)
        self.params = gamma_and_beta((self.channels,), self.affine)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x, self.dtype)
        self._check(x)
        dtype, shape = x.dtype, x.shape
        x, mean, variance, _ = moments(grouped := self._grouped(x), _within_group(grouped))
        scale = 1 / np.sqrt(variance + self.epsilon)
        A = scale * self._across("gamma", x.ndim)
        B = self._across("beta", x.ndim) - mean * A
        y = scaled(frame_of(x, _places(x)), x, A, B)
        return y.reshape(shape).astype(dtype, copy=False), (x, mean, scale)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        x, mean, scale = cache
        dtype, shape = dy.dtype, dy.shape
        dy = self._grouped(dy).astype(x.dtype, copy=False)
        frame = frame_of(x, _places(x))
        of_dy, of_both = sums(frame, dy, x)  # (batch, groups, channels of one, 1, ...)
        of_both = scale * (of_both - mean * of_dy)
        grads = {}
        if self.affine:
            each = {"gamma": of_both, "beta": of_dy}
            grads = {key: of.sum(0).reshape(self.channels) for key, of in each.items()}
        if not need_dx:
            return narrowed(dtype, None, grads)
        gamma, n = self._across("gamma", dy.ndim), share(dy, _within_group(dy))
        mean_dxhat = (gamma * of_dy).sum(2, keepdims=True) * n
        slope = (gamma * of_both).sum(2, keepdims=True) * n * scale
        C, D = -scale * slope, scale * (mean * slope - mean_dxhat)
        dx = combined(frame, dy, scale * gamma, x, C, D)
        return narrowed(dtype, dx.reshape(shape), grads)

    def _check(self, x: np.ndarray) -> None:
        if x.ndim > 1 and x.shape[1] == self.channels:
            return
        remedy = "give it as many channels as x has, and x its channels on axis 1"
        if x.shape[:1] == (self.channels,):
            remedy = "pass one sample as a batch of one: x[np.newaxis]"
        elif x.ndim > 2 and x.shape[-1] == self.channels:
            remedy = "move the channels to axis 1: np.moveaxis(x, -1, 1)"
        elif x.ndim > 1 and x.shape[1] and x.shape[1] % self.groups == 0:
            remedy = f"make it {written(self, channels=x.shape[1])}"
        self.refuse(f"(batch, {self.channels}) or (batch, {self.channels}, ...)", x, remedy)

    def _grouped(self, x: np.ndarray) -> np.ndarray:
        """(batch, channels, ...) as (batch, groups, channels / groups, ...), a view."""
        each = self.channels // self.groups
        return widened(x).reshape(len(x), self.groups, each, *x.shape[2:])

    def _across(self, name: str, ndim: int) -> np.ndarray:
        """gamma or beta in a shape that broadcasts against a grouped array; 1 or 0 without."""
        if not self.affine:
            return np.full((1,) * ndim, name == "gamma", np.float32)
        array = widened(self.params[name])
        return array.reshape(1, self.groups, -1, *(1,) * (ndim - 3))

    def __repr__(self) -> str:
        return written(self)


class InstanceNorm(GroupNorm):
    """Normalize each channel of each sample over its places, then scale and shift it.

    Parameters
    ----------
    channels : int
        The size of axis 1.
    epsilon : float
        Added to the variance.
    affine : bool
        Whether there are gamma and beta; without them y = xhat. (torch's has none unless asked.)

    Notes
    -----
    `GroupNorm` with a group for each channel; see there.

    *Shapes*: x and y (batch, channels, ...) with two places or more; gamma and beta (channels,).

    Raises
    ------
    ValueError
        x has another shape, or a single place, whose variance says nothing.

    References
    ----------
    Ulyanov et al., Instance normalization: the missing ingredient for fast stylization (2016).

    Examples
    --------
    >>> layer = InstanceNorm(1)
    >>> layer.forward([[[1.0, 3.0]], [[30.0, 10.0]]]).round(3)
    array([[[-1.,  1.]],
           [[ 1., -1.]]], dtype=float32)
    """

    @checks_kinds
    def __init__(self, channels: int, epsilon: float = 1e-5, affine: bool = True) -> None:
        super().__init__(channels, channels, epsilon, affine)

    def _check(self, x: np.ndarray) -> None:
        super()._check(x)
        if x.size == len(x) * self.channels and len(x):
            self.refuse(
                "more than one place per channel",
                x,
                f"use GroupNorm(1, {self.channels}) over all channels",
            )


def _within_group(grouped: np.ndarray) -> tuple[int, ...]:
    return tuple(range(2, grouped.ndim))


def _places(grouped: np.ndarray) -> tuple[int, ...]:
    return tuple(range(3, grouped.ndim))
