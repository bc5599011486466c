"""What precision hides: numbers too small to be seen, and those that differences have lost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nnscratch.gradient_check.differences import spread
from nnscratch.gradient_check.draws import Draw
from nnscratch.gradient_check.numeric import Numeric

__all__ = ["lost", "unseen"]

TINY = 1e-3  # numbers that may be lost in float16
LOST, VANISHED = 1e-14, 1e-30  # relative to the largest gradient of all draws, and to dy


def unseen(numeric: Numeric, name: str) -> bool:
    """Whether an array is too small for an object that rounds: no move of it shows.

    What rounds is seen where the array is of the size of 1.
    """
    array, rng = numeric.array(name), np.random.default_rng(0)
    size = spread(array)
    if not array.size or float(size.max()) > TINY:
        return False
    signs = rng.choice([-1.0, 1.0], array.shape)
    if any(np.any(numeric.along({name: signs * size}, t) != numeric.here) for t in (0.3, -0.3)):
        return False
    whole = signs * rng.uniform(0.5, 1.5, array.shape)
    names = ["dx"] if len(numeric.inputs) == 1 else [f"dx[{i}]" for i in range(len(numeric.inputs))]
    inputs = [whole if n == name else x for n, x in zip(names, numeric.inputs, strict=True)]
    params = {n: whole if n == name else a for n, a in numeric.params.items()}
    other = Numeric(numeric.draw, inputs=inputs, params=params)
    other.noise(name)
    return other.share > 1e-12


def lost(draws: Sequence[Draw], name: str) -> float:
    """What differences lose beside numbers of the size that gradients have: p - 1 where p is 1."""
    gradients = [draw.got.get(name) for draw in draws]
    sizes = [np.abs(g) for g in gradients if isinstance(g, (np.ndarray, np.floating, float))]
    largest = max((np.max(s, initial=0, where=np.isfinite(s)) for s in sizes), default=0.0)
    dy = max(np.max(np.abs(dy), initial=0) for draw in draws for dy in draw.dys)
    return float(LOST * largest + VANISHED * dy)
