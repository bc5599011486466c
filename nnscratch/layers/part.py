"""A part of a minibatch, whose other parts are in other processes.

Most layers treat every sample for itself, and do not mind where the others are. Two kinds do: what
normalizes over the batch needs sums over all of it, and what draws random numbers for the batch has
to draw, for its rows, those numbers that one process would have drawn for them.

    process 0   rows 0 ... 4   | draw 5 rows, skip 4 |     Σ over 5 rows \
    process 1   rows 5 ... 8   | skip 5 rows, draw 4 |     Σ over 4 rows / both have the Σ of all
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np


class Part:
    """Which rows of a minibatch these are, and how to add up over all of them.

    A layer that reads its attribute `part`, None where it has the whole batch, says by having it
    that it may be trained in parts.

    Parameters
    ----------
    add_up : function (float64 vector) -> None
        Turns it, in place, into the sum over all processes, each of which calls it.

    Attributes
    ----------
    first, size, whole : int
        The first of these rows, their number, and that of the batch.

    Examples
    --------
    >>> part = Part(lambda vector: None)
    >>> part.first, part.size, part.whole = 1, 2, 4
    >>> whole = np.random.default_rng(0).random((4, 3), np.float32)
    >>> bool((part.random(np.random.default_rng(0), (2, 3)) == whole[1:3]).all())
    True
    """

    def __init__(self, add_up: Callable[[np.ndarray], None]) -> None:
        self.add_up = add_up
        self.first = self.size = self.whole = 0

    def sums(self, *arrays: np.ndarray | float) -> Sequence[np.ndarray]:
        """Each array's sum over the processes, as float64; one exchange for all of them."""
        vector = np.concatenate([np.ravel(array) for array in arrays]).astype(np.float64)
        self.add_up(vector)
        ends = np.cumsum([np.size(array) for array in arrays])
        pieces = np.split(vector, ends[:-1])
        return [piece.reshape(np.shape(of)) for piece, of in zip(pieces, arrays, strict=True)]

    def random(self, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
        """These rows of rng.random(whole shape, float32); rng ends as if all had been drawn."""
        each = prod(shape[1:])
        skip(rng, self.first * each)
        drawn = rng.random(shape, np.float32)
        skip(rng, (self.whole - self.first - self.size) * each)
        return drawn


def skip(rng: np.random.Generator, count: int) -> None:
    """Leave the generator as after rng.random(count, float32), without drawing where it can.

    PCG64 makes two of these numbers from one of its steps and keeps the second for the next call.
    It can leap over any number of steps, and forgets a kept number then.
    """
    bits = rng.bit_generator
    if isinstance(bits, (np.random.PCG64, np.random.PCG64DXSM)) and count > 1:
        if bits.state["has_uint32"]:
            rng.random(1, np.float32)
            count -= 1
        bits.advance(count // 2)
        count %= 2
    while count > 0:
        rng.random(min(count, 1 << 16), np.float32)
        count -= 1 << 16
