"""Layers that only rearrange: the numbers stay, the shape changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer, floating

__all__ = ["Flatten"]


class Flatten(Layer):
    """Each sample as one row: (batch, ...) to (batch, features).

    Notes
    -----
    *Forward*: y[n] lists x[n] in row-major order.

    *Backward*: dx is dy in the shape of x, since every number is only passed on.

    *Cache*: the shape of x.

    Raises
    ------
    ValueError
        x has fewer than two axes.

    Examples
    --------
    >>> layer = Flatten()
    >>> layer.forward(np.zeros((5, 1, 28, 28))).shape
    (5, 784)
    >>> layer.backward(np.zeros((5, 784)))[0].shape
    (5, 1, 28, 28)
    """

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        if x.ndim < 2:
            self.refuse("(batch, ...)", x, "pass one sample as a batch of one: x[np.newaxis]")
        return x.reshape(len(x), math.prod(x.shape[1:])), x.shape

    def backward_pass(self, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        return dy.reshape(shape)
