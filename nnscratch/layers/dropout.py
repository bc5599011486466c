"""Dropout: noise that keeps units from relying on one another."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer, floating
from nnscratch.layers.part import Part

__all__ = ["Dropout"]


class Dropout(Layer):
    """Drop each number with probability p while training; do nothing in evaluation.

    Parameters
    ----------
    p : float in [0, 1]
        The share dropped.
    rng : int, numpy.random.Generator or None
        Draws the masks.

    Notes
    -----
    *Forward*: y = x ∘ m / (1 - p) with m_i = 0 with probability p, else 1. The factor keeps the
    mean, E(y) = x, so evaluation needs none.

    *Backward*: the same factors: dx = dy ∘ m / (1 - p).

    *Cache*: m / (1 - p); None where nothing is dropped.

    Raises
    ------
    ValueError
        p is not a share.

    References
    ----------
    Srivastava et al., Dropout: a simple way to prevent neural networks from overfitting (2014),
    in the "inverted" form of section 10.

    Examples
    --------
    >>> layer = Dropout(0.5, rng=0)
    >>> layer.forward(np.ones(6))
    array([2., 2., 2., 0., 0., 0.])
    >>> layer.eval().forward(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    element_wise = True
    part: Part | None = None  # where other processes have the other rows of the batch

    @checks_kinds
    def __init__(self, p: float = 0.5, rng: Any = None) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout expected p in [0, 1], the share dropped, received {p}")
        self.p = float(p)
        self.rng = np.random.default_rng(rng)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        if not self.training or self.p == 0:
            return x, None
        kept = self._random(x) >= self.p
        mask = kept * x.dtype.type(1 / (1 - self.p) if self.p < 1 else 0)
        return x * mask, mask

    def backward_pass(self, dy: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
        return dy if mask is None else dy * mask

    def _random(self, x: np.ndarray) -> np.ndarray:
        if self.part is None:
            return self.rng.random(x.shape, np.float32)
        if x.shape[:1] != (self.part.size,):
            self.refuse(
                f"the {self.part.size} samples of this process along the first axis",
                x,
                "put it where the batch is the first axis, or train in one process",
            )
        return self.part.random(self.rng, x.shape)

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
