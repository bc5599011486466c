"""Sequences of unequal length as rows, step after step.

    lengths 2, 3, 1            step 0      step 1    step 2
    rows of x                  b a c       b a       b

Longest first, those that still run are always the first rows of a step, so that a step is a
slice, a padded step is never computed, and all steps together are the rows of one matrix product.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer


class Packing:
    """Where the steps of a batch (batch, time, features) stand among its rows.

    Parameters
    ----------
    batch, time : int
    lengths : array of int, optional
        As `checked_lengths` returns them; every sequence lasts all of the time without.
    reverse : bool
        Whether each sequence is read from its end.

    Attributes
    ----------
    rows : int
        How many there are.
    steps : list of (slice, slice)
        For each step its rows, and those of the states before it in an array that begins with
        one row of a first state for each sequence. (The states after the step are `batch` rows
        further down in it than the step's rows.)
    """

    @checks_kinds
    def __init__(self, batch: int, time: int, lengths: np.ndarray | None, reverse: bool) -> None:
        self.batch, self.time, self.reverse = batch, time, reverse
        counts = [batch] * time
        self.order = None if lengths is None else np.argsort(-lengths, kind="stable")
        if lengths is not None and self.order is not None:
            longest_first = lengths[self.order]
            running = np.arange(longest_first.max(initial=0))[:, np.newaxis] < longest_first
            counts = running.sum(axis=1).tolist()
        starts = list(accumulate(counts, initial=0))
        self.rows = starts.pop()
        self.steps: list[tuple[slice, slice]] = []
        for start, count, before in zip(starts, counts, [batch, *counts[:-1]], strict=False):
            first = batch + start - before
            self.steps.append((slice(start, start + count), slice(first, first + count)))
        if self.order is not None:
            step, rank = np.nonzero(running)
            self._sample = self.order[rank]
            self._time = longest_first[rank] - 1 - step if reverse else step
            self._before = np.array([s.start for _, s in self.steps], np.intp)[step] + rank
            self._last = batch + np.array(starts, np.intp)[longest_first - 1] + np.arange(batch)

    def pack(self, x: np.ndarray) -> np.ndarray:
        """(batch, time, features) -> (rows, features)."""
        if self.order is not None:
            return x[self._sample, self._time]
        if self.reverse:
            x = x[:, ::-1]
        return x.transpose(1, 0, 2).reshape(self.rows, x.shape[2])

    def unpack(self, rows: np.ndarray) -> np.ndarray:
        """(rows, features) -> (batch, time, features), 0 beyond a length; time first in memory."""
        shape = self.time, self.batch, rows.shape[1]
        if self.order is None:
            x = rows.reshape(shape)
            x = x[::-1].copy() if self.reverse else x  # torch takes no array that runs backwards
        else:
            x = np.zeros(shape, rows.dtype)
            x[self._time, self._sample] = rows
        return x.transpose(1, 0, 2)

    def states_before(self, states: np.ndarray) -> np.ndarray:
        """For every row the state before it, of an array that begins with the first states."""
        return states[: self.rows] if self.order is None else states[self._before]

    def last_states(self, states: np.ndarray) -> np.ndarray:
        """Each sequence's state after its last step."""
        if self.order is None:
            return states[self.rows :]
        return self.unsort(states[self._last])

    def sort(self, states: np.ndarray) -> np.ndarray:
        """One row for each sequence of the batch -> longest sequence first."""
        return states if self.order is None else states[self.order]

    def unsort(self, states: np.ndarray) -> np.ndarray:
        """One row for each sequence, longest first -> in the order of the batch."""
        if self.order is None:
            return states
        result = np.empty_like(states)
        result[self.order] = states
        return result


def checked_lengths(layer: Layer, lengths: Any, batch: int, time: int) -> np.ndarray | None:
    """The lengths as an array of ints, one for each sequence of the batch; None stays None."""
    if lengths is None:
        return None
    found = np.asarray(lengths)
    if found.shape != (batch,) or found.dtype.kind not in "iu":
        kind = f"{found.dtype} of shape {found.shape}"
        layer.refuse(f"lengths as {batch} ints, one for each sequence", kind, "count its steps")
    if batch and not (found.min() >= 1 and found.max() <= time):
        wrong = int(np.argmax((found < 1) | (found > time)))
        layer.refuse(
            f"lengths from 1 to the {time} steps of x",
            f"{found[wrong]} for sequence {wrong}",
            "leave empty sequences out" if found[wrong] < 1 else "pad x to the longest",
        )
    return found.astype(np.intp)
