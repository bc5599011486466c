"""One formula for many parameters at once.

An element-wise formula does not mind where one parameter ends and the next begins. So a stretch
of parameters with equal settings, which lie one behind the other in the model's flat vector, is
updated as one vector, block by block: a block stays in the processor's cache from the first
operation of the formula to the last.

Squares of gradients overflow in float16, and 1e-8 beside them is 0. So a formula meets float16
parameters as float32, with a state that stays float32; only the new parameters are rounded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from nnscratch.layers.flat import FlatArrays

if TYPE_CHECKING:
    from nnscratch.optimizers.base import Optimizer

BLOCK = 65536  # elements: 256 KiB of float32, so that weights, gradients and state fit in cache

Block = tuple[Callable[..., None], list[np.ndarray]]  # an update, and what it is applied to


@dataclass(frozen=True)
class Stretch:
    """Neighbouring parameters with equal settings: where they lie in the vector of a dtype."""

    formula: Optimizer  # the optimizer itself, or its likeness with a group's settings
    dtype: np.dtype
    start: int
    stop: int
    name: str  # of the first

    def joins(self, before: Stretch | None) -> bool:
        """Whether one formula can go on from `before` through this."""
        return (
            before is not None
            and self.formula.element_wise
            and (before.formula, before.stop) == (self.formula, self.start)
        )


def stretches(
    params: FlatArrays, trained: Collection[str], formulas: Mapping[str, Optimizer]
) -> Iterator[Stretch]:
    """As few as there are changes of settings from one parameter to the next."""
    starts = dict.fromkeys(params.vectors, 0)
    last: dict[np.dtype, Stretch] = {}
    for name, array in params.items():
        dtype, start = array.dtype, starts[array.dtype]
        starts[dtype] = stop = start + array.size
        if name not in trained:
            continue
        this, before = Stretch(formulas[name], dtype, start, stop, name), last.get(dtype)
        if this.joins(before) and before is not None:
            this = replace(before, stop=stop)
        elif before is not None:
            yield before
        last[dtype] = this
    yield from last.values()


def blocks_of(
    stretches: Sequence[Stretch], arrays: Sequence[FlatArrays], part: int, parts: int
) -> Iterator[Block]:
    """What the formulas are applied to, one after the other, for one of so many parts of all.

    `arrays` are the parameters, their gradients and the state, all laid out alike.
    """
    for i, stretch in enumerate(stretches):
        update: Callable[..., None] = stretch.formula.update
        if stretch.dtype == np.float16:
            update = partial(in_float32, update)
        if not stretch.formula.element_wise:
            if i % parts == part:
                yield update, [of[stretch.name] for of in arrays]
            continue
        length = stretch.stop - stretch.start
        start = stretch.start + length * part // parts
        stop = stretch.start + length * (part + 1) // parts
        vectors = [of.vectors[stretch.dtype] for of in arrays]
        for first in range(start, stop, BLOCK):
            yield update, [v[first : min(first + BLOCK, stop)] for v in vectors]


def in_float32(
    update: Callable[..., None], w: np.ndarray, g: np.ndarray, *state: np.ndarray
) -> None:
    """The update on copies of float16 w and g; what comes out is rounded once."""
    wide = w.astype(np.float32)
    update(wide, g.astype(np.float32), *state)
    w[...] = wide


def flush_tiny(slot: FlatArrays, part: int, parts: int) -> None:
    """Set numbers too small for a full mantissa to 0.

    The state of a weight whose gradient stays 0 decays to them and then remains there by
    rounding, and many processors compute many times more slowly with them.
    """
    for vector in slot.vectors.values():
        start, stop = (len(vector) * number // parts for number in (part, part + 1))
        for first in range(start, stop, BLOCK):
            block = vector[first : min(first + BLOCK, stop)]
            block *= np.abs(block) >= np.finfo(block.dtype).smallest_normal
