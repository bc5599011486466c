"""Normalization within each sample: over its features, or over groups of its channels."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any, SupportsIndex

import numpy as np

from nnscratch.layers.base import Grads, Layer, floating
from nnscratch.layers.normalization.standardize import (
    centre,
    mean_over,
    spread,
    sum_over,
    through_statistics,
)

__all__ = ["GroupNorm", "LayerNorm"]


class LayerNorm(Layer):
    """Normalize each sample over its last axes, then scale and shift each feature.

    Parameters
    ----------
    shape : int or tuple of int
        The sizes of the last axes, over which is normalized.
    epsilon : float
        Added to the variance.

    Notes
    -----
    *Forward*: xhat = (x - mean) / σ with σ² = var + epsilon, mean and biased variance over the
    last axes of x; y = gamma ∘ xhat + beta. Training and evaluation are the same.

    *Gradient*: dgamma = Σ dy ∘ xhat and dbeta = Σ dy over all other axes.

    *Backward*: dxhat = gamma ∘ dy, and from there as derived in `BatchNorm`, with the means over
    the last axes: dx = (1/σ) (dxhat - mean(dxhat) - xhat · mean(dxhat ∘ xhat)). Here gamma
    changes along these axes, so it stays inside the means.

    *Shapes*: x and y (..., *shape); gamma and beta shape.

    *Cache*: xhat and 1/σ.

    Raises
    ------
    ValueError
        The last axes of x have other sizes; a size is not positive or epsilon negative.

    References
    ----------
    Ba, Kiros and Hinton, Layer normalization (2016), section 3; [Operators] 2 with other axes.

    Examples
    --------
    >>> layer = LayerNorm(2)
    >>> layer.forward(np.array([[1.0, 3.0], [30.0, 10.0]])).round(3)
    array([[-1.,  1.],
           [ 1., -1.]], dtype=float32)
    """

    def __init__(self, shape: int | Sequence[int], epsilon: float = 1e-5) -> None:
        sizes = (shape,) if isinstance(shape, SupportsIndex) else shape
        self.shape = tuple(index(size) for size in sizes)
        if not self.shape or min(self.shape) < 1:
            raise ValueError(
                f"LayerNorm expected one or more sizes of at least 1, received {shape}"
            )
        self.epsilon = _not_negative("LayerNorm", epsilon)
        self.params = _gamma_and_beta(self.shape)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x, self.dtype)
        if x.shape[x.ndim - len(self.shape) :] != self.shape:
            ending = ", ".join(map(str, self.shape))
            fitting = x.shape[-len(self.shape) :]
            remedy = "give it the sizes of the axes to normalize over, the last ones of x"
            if len(fitting) == len(self.shape) and 0 not in fitting:
                remedy = f"make it LayerNorm({_shortest(fitting)}) or transpose x"
            self.refuse(f"(..., {ending})", x, remedy)
        xhat, _, variance = centre(x, self._last(x))
        scale = 1 / np.sqrt(variance + self.epsilon)
        xhat *= spread(scale, x)
        y = np.multiply(xhat, self.params["gamma"], out=np.empty_like(x))  # x's order in memory
        y += self.params["beta"]
        return y, (xhat, scale)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        xhat, scale = cache
        last = self._last(dy)
        dxhat = np.multiply(dy, self.params["gamma"], out=np.empty_like(dy))
        mean, slope = mean_over(last, dxhat), mean_over(last, dxhat, xhat)
        return through_statistics(dxhat, xhat, scale, mean, slope)

    def gradient_pass(self, dy: np.ndarray, cache: Any) -> Grads:
        xhat, _ = cache
        others = tuple(range(dy.ndim - len(self.shape)))
        return {"gamma": sum_over(others, dy, xhat), "beta": sum_over(others, dy)}

    def _last(self, x: np.ndarray) -> tuple[int, ...]:
        return tuple(range(x.ndim - len(self.shape), x.ndim))

    def __repr__(self) -> str:
        return f"LayerNorm({_shortest(self.shape)}{_told(self.epsilon)})"


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

    Notes
    -----
    *Forward*: neighbouring channels make up a group. xhat = (x - mean) / σ with
    σ² = var + epsilon, mean and biased variance over the channels and places of a group in one
    sample; y = gamma · xhat + beta with one gamma and beta per channel.

    *Gradient*: dgamma = Σ dy ∘ xhat and dbeta = Σ dy over samples and places.

    *Backward*: dxhat = gamma · dy, and from there as derived in `BatchNorm`, with the means over
    a group: dx = (1/σ) (dxhat - mean(dxhat) - xhat · mean(dxhat ∘ xhat)).

    *Shapes*: x and y (batch, channels) or (batch, channels, ...); gamma and beta (channels,).
    Inside, the channels are two axes, (groups, channels / groups).

    *Cache*: xhat and 1/σ, with the channels as two axes.

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

    def __init__(self, groups: int, channels: int, epsilon: float = 1e-5) -> None:
        self.groups, self.channels = index(groups), index(channels)
        if self.groups < 1 or self.channels < 1 or self.channels % self.groups:
            raise ValueError(
                f"GroupNorm expected a number of channels that its groups divide, received "
                f"{groups} groups of {channels} channels"
            )
        self.epsilon = _not_negative("GroupNorm", epsilon)
        self.params = _gamma_and_beta((self.channels,))

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x, self.dtype)
        if x.ndim < 2 or x.shape[1] != self.channels:
            remedy = "give it as many channels as x has, and x its channels on axis 1"
            if x.shape[:1] == (self.channels,):
                remedy = "pass one sample as a batch of one: x[np.newaxis]"
            self.refuse(f"(batch, {self.channels}) or (batch, {self.channels}, ...)", x, remedy)
        grouped = self._grouped(x)
        xhat, _, variance = centre(grouped, _within_group(grouped))
        scale = 1 / np.sqrt(variance + self.epsilon)
        xhat *= spread(scale, grouped)
        y = xhat * spread(self._across("gamma", grouped), grouped)
        y += spread(self._across("beta", grouped), grouped)
        return y.reshape(x.shape), (xhat, scale)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        xhat, scale = cache
        grouped = self._grouped(dy)
        dxhat = grouped * spread(self._across("gamma", grouped), grouped)
        axes = _within_group(dxhat)
        mean, slope = mean_over(axes, dxhat), mean_over(axes, dxhat, xhat)
        return through_statistics(dxhat, xhat, scale, mean, slope).reshape(dy.shape)

    def gradient_pass(self, dy: np.ndarray, cache: Any) -> Grads:
        xhat, _ = cache
        grouped = self._grouped(dy)
        axes = (0, *range(3, grouped.ndim))
        grads = {"gamma": sum_over(axes, grouped, xhat), "beta": sum_over(axes, grouped)}
        return {key: grad.reshape(self.channels) for key, grad in grads.items()}

    def _grouped(self, x: np.ndarray) -> np.ndarray:
        """(batch, channels, ...) as (batch, groups, channels / groups, ...), a view."""
        return x.reshape(len(x), self.groups, self.channels // self.groups, *x.shape[2:])

    def _across(self, name: str, grouped: np.ndarray) -> np.ndarray:
        """One number per channel, in a shape that broadcasts against a grouped array."""
        return self.params[name].reshape(1, *grouped.shape[1:3], *(1,) * (grouped.ndim - 3))

    def __repr__(self) -> str:
        return f"GroupNorm({self.groups}, {self.channels}{_told(self.epsilon)})"


def _within_group(grouped: np.ndarray) -> tuple[int, ...]:
    return tuple(range(2, grouped.ndim))


def _gamma_and_beta(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {"gamma": np.ones(shape, np.float32), "beta": np.zeros(shape, np.float32)}


def _shortest(shape: tuple[int, ...]) -> Any:
    """The shortest way to write a shape: 3 for (3,)."""
    return shape if len(shape) > 1 else shape[0]


def _not_negative(name: str, epsilon: float) -> float:
    if not epsilon >= 0:
        raise ValueError(f"{name} expected epsilon of at least 0, received {epsilon}")
    return float(epsilon)


def _told(epsilon: float) -> str:
    return "" if epsilon == 1e-5 else f", epsilon={epsilon}"
