"""Where in a sequence a step stands, told to layers that would not know."""

from __future__ import annotations

from functools import lru_cache
from operator import index
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.written import written

__all__ = ["PositionalEncoding"]


class PositionalEncoding(Layer):
    """Add waves of time: y[t, 2i] = x[t, 2i] + sin(t / 10000^(2i/F)), and cos at 2i + 1.

    Parameters
    ----------
    features : int
        F.

    Notes
    -----
    Attention is a sum over steps, which does not know their order. Each pair of features gets the
    hand of a clock, sin(ω t) and cos(ω t), from one turn in 2π steps to one in 10000 · 2π; a shift
    in time is a rotation of each hand, the same at every t, so that a linear map can look "three
    steps back".

    *Forward*: y = x + e, with a constant e(t).

    *Backward*: Δy = Δx, so dx = dy.

    *Shapes*: x and y (..., time, features).

    *Cache*: nothing.

    Raises
    ------
    ValueError
        x has other features, or features is not positive.

    References
    ----------
    Vaswani et al., Attention is all you need (2017), section 3.5.

    Examples
    --------
    >>> PositionalEncoding(4).forward(np.zeros((3, 4))).round(2)
    array([[ 0.  ,  1.  ,  0.  ,  1.  ],
           [ 0.84,  0.54,  0.01,  1.  ],
           [ 0.91, -0.42,  0.02,  1.  ]])
    """

    @checks_kinds
    def __init__(self, features: int) -> None:
        self.features = index(features)
        if self.features < 1:
            raise ValueError(f"PositionalEncoding expected at least 1 feature, received {features}")

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        if x.ndim < 2 or x.shape[-1] != self.features:
            remedy = f"make it {written(self, features=x.shape[-1])}" if x.ndim > 1 else "batch it"
            self.refuse(f"(..., time, {self.features})", x, remedy)
        return x + _waves(*x.shape[-2:], x.dtype), None

    def backward_pass(self, dy: np.ndarray, cache: None) -> np.ndarray:
        return dy

    def __repr__(self) -> str:
        return written(self)


@lru_cache(maxsize=8)
def _waves(time: int, features: int, dtype: np.dtype) -> np.ndarray:
    """e (time, features)."""
    pair = np.arange(features) // 2
    angle = np.arange(time)[:, np.newaxis] / 10000.0 ** (2 * pair / features)
    waves = np.where(np.arange(features) % 2 == 0, np.sin(angle), np.cos(angle)).astype(dtype)
    waves.flags.writeable = False
    return waves
