"""What the processes of `DataParallel` tell each other in the middle of a step.

A BatchNorm needs sums over the whole minibatch, of which each process has a part; and the masks of
a Dropout are drawn by equal generators, of which each process keeps one.
"""

from __future__ import annotations

import math
import mmap
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.part import Part

AT_ONCE = 4096  # numbers that are added up over the processes in one exchange
ROOM = 1 << 14  # bytes for the states of generators, of which one of PCG64 takes about 200


class Between:
    """The layers that look beyond a process's part of the minibatch, and what they share.

    Parameters
    ----------
    model : Layer
    processes : int
    meet : function (number) -> None
        Returns when all processes have called it.
    """

    def __init__(self, model: Layer, processes: int, meet: Callable[[int], None]) -> None:
        self.meet, self.number, self.turn = meet, 0, 0
        self.part = Part(self.add_up)
        walked = [layer for _, layer in model.walk()]
        self.layers = [layer for layer in walked if hasattr(type(layer), "part")]
        drawn = (layer.rng for layer in walked if hasattr(layer, "rng"))
        self.generators = list({id(rng): rng for rng in drawn}.values())
        self.slots = shared_zeros((2, processes, AT_ONCE), np.dtype(float))
        self.states = shared_zeros(ROOM, np.dtype(np.uint8))

    def publish(self) -> None:
        """Write down where the generators of this process are, for the others."""
        if self.generators:
            told = pickle.dumps([rng.bit_generator.state for rng in self.generators])
            self.states[: len(told)] = np.frombuffer(told, np.uint8)

    def join(self, number: int, rows: slice, samples: int) -> None:
        """Begin a step on some rows of a minibatch of so many samples."""
        self.number, part = number, self.part
        part.first, part.size, part.whole = rows.start, rows.stop - rows.start, samples
        for layer in self.layers:
            vars(layer)["part"] = part
        if number and self.generators:
            states = pickle.loads(self.states.tobytes())
            for rng, state in zip(self.generators, states, strict=True):
                rng.bit_generator.state = state

    def leave(self) -> None:
        """Let the layers look at what they are given as the whole again."""
        for layer in self.layers:
            vars(layer).pop("part", None)

    def add_up(self, vector: np.ndarray) -> None:
        """Replace it by the sum of those of all processes, the same in each of them.

        The slots are two in turn: who writes into one again has met the others since, and so all
        have read it.
        """
        for start in range(0, len(vector), AT_ONCE):
            mine = vector[start : start + AT_ONCE]
            slots, self.turn = self.slots[self.turn, :, : len(mine)], 1 - self.turn
            slots[self.number] = mine
            self.meet(self.number)
            np.sum(slots, axis=0, out=mine)


def refuse_whole_batches(model: Layer, each: str = "worker", option: str = "workers=") -> None:
    """A ValueError for layers that have to see the whole batch, of which each has a part."""
    for path, layer in model.walk():
        place = f"layer {path}, {layer}" if path else f"{layer}"
        keeps = bool(layer._buffers) and not layer.buffers_are_constant
        if (keeps or hasattr(layer, "rng")) and not hasattr(type(layer), "part"):
            raise ValueError(
                f"{place} draws for the batch or keeps statistics of it, of which each {each} sees "
                f"a part; let it read `part` as Dropout and BatchNorm do, or leave out {option}"
            )


def shared_zeros(shape: Any, dtype: np.dtype) -> np.ndarray:
    """Zeros in memory that forked processes share."""
    count = math.prod(shape) if isinstance(shape, tuple) else shape
    memory = mmap.mmap(-1, max(1, count * np.dtype(dtype).itemsize))
    return np.frombuffer(memory, dtype, count).reshape(shape)
