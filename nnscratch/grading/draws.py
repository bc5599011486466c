"""Inputs for the items: functions of (rng, batch size) that draw an array.

Sizes within a case are pairwise distinct and none is 1 or 2, where transposes and lost factors
would hide; nothing is uniform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnscratch.gradient_check.draws import draw_dy

Draw = Callable[[np.random.Generator, int], Any]


def normal(*shape: int, scale: float = 1.0) -> Draw:
    """Standard normal numbers, (batch, *shape)."""
    return lambda rng, batch: scale * rng.normal(size=(batch, *shape))


def away(*shape: int, scale: float = 1.0) -> Draw:
    """Numbers of both signs from 0.25 to 3 times the scale: away from 0, where kinks are."""

    def draw(rng: np.random.Generator, batch: int) -> np.ndarray:
        size = (batch, *shape)
        return np.asarray(scale * draw_dy(rng, size) * rng.uniform(0.5, 2.0, size))

    return draw


def fixed(*shape: int) -> Draw:
    """Numbers of both signs in that shape, whatever the batch."""
    return lambda rng, batch: draw_dy(rng, shape)


def labels(classes: int) -> Draw:
    """Labels 0 to classes - 1, never all the same."""

    def draw(rng: np.random.Generator, batch: int) -> np.ndarray:
        found = rng.integers(0, classes, batch)
        found[:3] = rng.permutation(classes)[: min(3, batch)]
        return found

    return draw


@dataclass(frozen=True)
class Large:
    """A case in which a numeric derivative takes far too long, and a triple loop does not.

    Long in the axis that a product sums over and short in the others: a loop over all
    multiplications then is a million steps, and one forward pass for each element, or for each
    column, still reads everything each time.

    Attributes
    ----------
    inputs : Draw or tuple of Draw
    args : tuple
        Of the constructor.
    batch : int
    """

    inputs: Any
    args: tuple[Any, ...] = ()
    batch: int = 3


@dataclass(frozen=True)
class Case:
    """The numbers of one call, for an assignment's own hypotheses.

    Attributes
    ----------
    inputs : tuple
        What forward receives; `x` is the first.
    dy : array or None
        What backward receives.
    params : dict of str to array
    y : array
        The right output.
    """

    inputs: tuple[Any, ...]
    y: Any
    dy: Any = None
    params: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def x(self) -> Any:
        return self.inputs[0]

    @property
    def batch(self) -> int:
        return len(self.x)


def drawn(inputs: Any, rng: np.random.Generator, batch: int) -> tuple[Any, ...]:
    """The inputs of a call."""
    several = inputs if isinstance(inputs, tuple) else (inputs,)
    return tuple(draw(rng, batch) for draw in several)
