"""Draws: the same computation on other numbers.

A gradient that agrees on one draw may do so by chance: a bias of zeros hides what multiplies
it, a batch of one hides a factor N. So the caller's numbers are joined by others of the same
shapes, and by half of the batch.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.gradient_check.calling import follows
from nnscratch.gradient_check.gradients import Gradients, first_floating
from nnscratch.gradient_check.names import TARGETS, plain
from nnscratch.gradient_check.subject import Subject

__all__ = [
    "Draw",
    "copied",
    "draw_dy",
    "flat",
    "further_draws",
    "halved",
    "input_index",
    "is_float",
    "redrawn",
    "run",
    "targets",
    "weights",
    "write",
]

DRAWS = 3  # with the caller's own


@dataclass
class Draw:
    """One forward and backward pass, and what went in and came out.

    Attributes
    ----------
    inputs : list
        The arrays and numbers that forward received, one after the other.
    params : dict of str to array
    dys, ys : list of arrays
        One for each output.
    got : dict of str to object
        The gradients by name.
    plain : bool
        Whether a dy of a number was Python's own, not NumPy's.
    """

    subject: Subject
    inputs: list[Any]
    params: dict[str, np.ndarray]
    dys: list[np.ndarray]
    ys: list[np.ndarray]
    got: Gradients
    plain: bool = True

    @property
    def scalar(self) -> bool:
        """Whether forward gave one number that is Python's own."""
        return len(self.ys) == 1 and self.subject.gives_number

    @property
    def y(self) -> np.ndarray:
        """The output; of several all numbers in one row."""
        return flat(self.ys) if len(self.ys) != 1 else self.ys[0]

    @property
    def dy(self) -> np.ndarray:
        return flat(self.dys) if len(self.dys) != 1 else self.dys[0]

    def array(self, name: str) -> Any:
        """The array that a gradient belongs to."""
        return self.params[name] if name in self.params else self.inputs[input_index(name)]


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """All numbers of several arrays in one row, in float64."""
    rows = [np.asarray(a, np.float64).ravel() for a in arrays]
    return np.concatenate(rows) if rows else np.empty(0)


def input_index(name: str) -> int:
    """0 for "dx", i for "dx[i]"."""
    return int(name[3:-1]) if name.startswith("dx[") else 0


def run(
    source: Subject,
    inputs: Sequence[Any],
    rng: np.random.Generator,
    params: Mapping[str, np.ndarray] | None = None,
    dy: Any = None,
    plain: bool = True,
) -> Draw:
    """Forward and backward on a fresh copy of the subject; dy is drawn unless given.

    A dy of a number is Python's own if `plain`, else NumPy's.
    """
    subject = source.fresh()
    subject.plain = plain
    write(subject, params or {})
    kept = [copied(x) for x in inputs]
    before = {name: array.copy() for name, array in subject.params.items()}
    ys = [np.array(y) for y in subject.forward([copied(x) for x in kept])]
    if dy is None:
        dys = subject.draw_dys(rng, ys)
    else:
        given = list(dy) if isinstance(dy, (tuple, list)) and len(ys) > 1 else [dy]
        dys = [
            np.zeros(y.shape) if d is None else np.asarray(d, np.float64)
            for d, y in zip(given, ys, strict=True)
        ]
    if subject.takes_dy:  # an output that is not finite has no derivative: nothing is asked of it
        dys = [np.where(np.isfinite(y), d, 0.0) for d, y in zip(dys, ys, strict=True)]
    got = subject.backward([d.copy() for d in dys], kept)
    for name, array in subject.params.items():
        before.setdefault(name, array.copy())
    return Draw(subject, kept, before, dys, ys, {n: copied(g) for n, g in got.items()}, plain)


def write(subject: Subject, params: Mapping[str, np.ndarray]) -> None:
    """Put values into the subject's parameters."""
    for name, value in params.items():
        subject.write(name, value)


def copied(x: Any) -> Any:
    """A copy that forward may keep or write to."""
    return x.copy() if isinstance(x, np.ndarray) else copy.deepcopy(x)


def draw_dy(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers of both signs, none near 0, never all the same."""
    return np.asarray(rng.uniform(0.5, 1.5, shape) * rng.choice([-1.0, 1.0], shape))


def redrawn(rng: np.random.Generator, array: np.ndarray) -> np.ndarray:
    """Other numbers of the same kind: signs and sizes stay, as the domain may ask for them."""
    if not array.any():
        return np.asarray(rng.normal(0, 0.5, array.shape))
    return np.asarray(array * rng.uniform(0.7, 1.3, array.shape))


def is_float(x: Any) -> bool:
    """Whether x is an array of floating numbers, which has a gradient."""
    return isinstance(x, np.ndarray) and x.dtype.kind == "f"


def halved(inputs: Sequence[Any], whole: Collection[int] = ()) -> list[Any] | None:
    """Half of the batch; None where there is none to halve.

    `whole` holds inputs that are no batch.
    """
    sizes = [len(x) for x in inputs if isinstance(x, np.ndarray) and x.ndim]
    if not sizes or sizes[0] < 2:
        return None
    n = sizes[0]
    return [
        x[: n // 2].copy()
        if isinstance(x, np.ndarray) and x.ndim and len(x) == n and i not in whole
        else copied(x)
        for i, x in enumerate(inputs)
    ]


def weights(subject: Subject, inputs: Sequence[Any]) -> set[int]:
    """The inputs that are parameters by their names, of which no half is a half batch."""
    names = [plain(name) for name in subject.called()]
    if len(names) != len(inputs) or names[0][:1] == "q":  # of attention, whose k is no kernel
        return set()
    return {i for i, name in enumerate(names) if i and follows(name)}


def targets(subject: Subject, inputs: Sequence[Any]) -> set[int]:
    """The inputs of a loss that keep their numbers: one-hot rows must add up to 1."""
    if subject.is_loss:
        return set(range(len(inputs))) - {first_floating(inputs)}
    names = subject.called()
    if subject.takes_dy or len(names) != len(inputs):
        return set()
    return {i for i, name in enumerate(names) if i and plain(name) in TARGETS}


def further_draws(subject: Subject, draw: Draw, rng: np.random.Generator) -> Iterator[Draw]:
    """Other inputs, parameters and dy of the same shapes, and half of the batch."""
    batches: list[list[Any] | None] = [list(draw.inputs)] * (DRAWS - 1)
    half = halved(draw.inputs, weights(subject, draw.inputs))
    half = None if subject.manner.lists else half  # zip would cut what belongs to all
    for i, inputs in enumerate([*batches, half]):
        if inputs is None:
            continue
        kept = targets(draw.subject, inputs)
        moved = [
            redrawn(rng, x) if is_float(x) and j not in kept else x for j, x in enumerate(inputs)
        ]
        params = {name: redrawn(rng, a) for name, a in draw.params.items()}
        for attempt in (moved, inputs) if i < DRAWS - 1 else (moved,):
            try:
                found = run(subject, attempt, rng, params, plain=i == 0)
            except Exception:  # outside the domain, or no half of a batch
                continue
            if inputs is half and not _is_half(found, draw):
                continue
            if np.isfinite(found.y).all() or not np.isfinite(draw.y).all():
                yield found
                break


def _is_half(found: Draw, draw: Draw) -> bool:
    """Whether y is that of half a batch: what was not halved may have been broadcast against."""
    n, half = (next(len(x) for x in d.inputs if np.ndim(x)) for d in (draw, found))
    return not any(
        y.ndim and len(y) == n != half and h.shape == y.shape
        for y, h in zip(draw.ys, found.ys, strict=True)
    )
