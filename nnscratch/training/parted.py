"""Minibatches of which each rank takes its part."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from nnscratch.training.fingerprints import checksum
from nnscratch.training.samples import Batch, Samples, Stream


def bounds(whole: int, rank: int, ranks: int) -> slice:
    """The rows of one of so many parts, about equally many each.

    >>> [bounds(10, rank, 3) for rank in range(3)]
    [slice(0, 3, None), slice(3, 6, None), slice(6, 10, None)]
    """
    return slice(whole * rank // ranks, whole * (rank + 1) // ranks)


def part_of(batch: Batch, rank: int, ranks: int) -> Batch:
    """A rank's rows of a whole minibatch."""
    rows = bounds(batch.size, rank, ranks)
    x, y = (
        tuple(array[rows] for array in of) if isinstance(of, tuple) else of[rows]
        for of in (batch.x, batch.y)
    )
    weight = None if batch.weight is None else batch.weight[rows]
    numbers = None if batch.numbers is None else batch.numbers[rows]
    return Batch(x, y, weight, batch.size, numbers)


class PartOfSamples(Samples):
    """Samples of whose minibatches a rank gathers its own rows alone."""

    def __init__(self, samples: Samples, rank: int, ranks: int) -> None:
        vars(self).update(vars(samples))
        self.rank, self.ranks = rank, ranks

    def rows(self, rows: np.ndarray) -> Batch:
        mine = super().rows(rows[bounds(len(rows), self.rank, self.ranks)])
        return mine._replace(whole=len(rows))


class CheckedStream:
    """Minibatches that each rank makes for itself, compared before each step.

    Raises
    ------
    ValueError
        On all ranks, where one has another minibatch than the others, or none.
    """

    count: int | None = None

    def __init__(self, stream: Stream, communicator: Any) -> None:
        self.stream, self.communicator = stream, communicator

    def batches(self, *how: Any) -> Iterator[Batch]:
        """As those of the stream."""
        for number, batch in enumerate(chain(self.stream.batches(*how), [None]), 1):
            mine = "none" if batch is None else checksum(batch)
            every = self.communicator.allgather(mine)
            for rank, other in enumerate(every):
                if other != every[0]:
                    raise ValueError(
                        f"the ranks differ: minibatch {number} is {every[0]} on rank 0 and {other} "
                        f"on rank {rank}; make the same on every rank, in the same order"
                    )
            if batch is not None:
                yield batch


class PartOfStream(CheckedStream):
    """The same, and of each a rank's own rows."""

    def batches(self, *how: Any) -> Iterator[Batch]:
        rank, ranks = self.communicator.rank, self.communicator.size
        return (part_of(batch, rank, ranks) for batch in super().batches(*how))
