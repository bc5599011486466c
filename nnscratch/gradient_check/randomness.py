"""Random numbers in a check: every forward of one check draws the same ones."""

from __future__ import annotations

import contextlib
import copy
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from nnscratch.gradient_check.places import walk

__all__ = ["RandomState", "global_random_state_kept"]


class RandomState:
    """The states of the generators that an object holds, and of the global ones.

    Parameters
    ----------
    source : object
        Every later `restore` brings its generators back to where they are now.
    """

    def __init__(self, source: Any) -> None:
        self.generators = list(_generators(source))
        self._states = [copy.deepcopy(g.bit_generator.state) for g in self.generators]
        self._global = (np.random.get_state(), random.getstate())  # noqa: NPY002

    def follow(self, other: RandomState) -> None:
        """Draw what another copy of the same object draws."""
        self._states, self._global = other._states, other._global

    def restore(self, with_global: bool) -> None:
        """Let the next draws be those after the state that was kept."""
        for generator, state in zip(self.generators, self._states, strict=False):
            generator.bit_generator.state = state
        if with_global:
            np.random.set_state(self._global[0])  # noqa: NPY002
            random.setstate(self._global[1])

    def drew_globally(self) -> bool:
        """Whether `np.random` or `random` were used since."""
        before, now = self._global[0], np.random.get_state()  # noqa: NPY002
        same = all(np.array_equal(a, b) for a, b in zip(before, now, strict=True))
        return not same or self._global[1] != random.getstate()


@contextlib.contextmanager
def global_random_state_kept() -> Iterator[None]:
    """The caller's `np.random` and `random` draw what they would have drawn without a check."""
    states = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])


def _generators(source: Any) -> Iterator[np.random.Generator]:
    seen: set[int] = set()
    for _, value in walk(source):
        if isinstance(value, np.random.RandomState):
            value = np.random.Generator(value._bit_generator)
        if isinstance(value, np.random.Generator) and id(value) not in seen:
            seen.add(id(value))
            yield value
