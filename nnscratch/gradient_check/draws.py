"""Draws: the same computation on other numbers, with its numeric gradients.

A gradient that agrees on one draw may do so by chance: a bias of zeros hides what multiplies
it, a batch of one hides a factor N. So the caller's numbers are joined by others of the same
shapes, and by half of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from nnscratch.gradient_check import differences
from nnscratch.gradient_check.conventions import Gradients
from nnscratch.gradient_check.subject import Subject

SAMPLE = 200  # elements of a large array that are looked at one by one
LARGE = 3000


@dataclass
class Draw:
    """One forward and backward pass, and what went in and came out."""

    subject: Subject
    inputs: list[Any]
    params: dict[str, np.ndarray]
    dy: np.ndarray
    y: np.ndarray
    got: Gradients

    @cached_property
    def epsilon(self) -> float:
        """The relative precision of y: that of float32 where it was computed so."""
        return _epsilon(self)

    def array(self, name: str) -> Any:
        """The array that a gradient belongs to."""
        return self.params[name] if name in self.params else self.inputs[input_index(name)]


def input_index(name: str) -> int:
    """0 for "dx", i for "dx[i]"."""
    return int(name[3:-1]) if name.startswith("dx[") else 0


def run(
    source: Subject,
    inputs: Sequence[Any],
    rng: np.random.Generator,
    params: Mapping[str, np.ndarray] | None = None,
    dy: Any = None,
) -> Draw:
    """Forward and backward on a fresh copy of the subject; dy is drawn unless given."""
    subject = source.fresh()
    write(subject, params or {})
    kept = [x.copy() if isinstance(x, np.ndarray) else x for x in inputs]
    before = {name: array.copy() for name, array in subject.params.items()}
    y = np.array(subject.forward([copied(x) for x in kept]))
    if dy is None:
        dy = draw_dy(rng, y.shape) if subject.takes_dy else np.ones(y.shape)
    dy = np.asarray(dy, np.float64)
    got = subject.backward(dy.copy(), kept)
    for name, array in subject.params.items():
        before.setdefault(name, array.copy())
    return Draw(subject, kept, before, dy, y, {n: copied(g) for n, g in got.items()})


def write(subject: Subject, params: Mapping[str, np.ndarray]) -> None:
    """Put values into the subject's parameters, in place."""
    for name, value in params.items():
        if name in subject.params:
            subject.params[name][...] = value


def copied(x: Any) -> Any:
    return x.copy() if isinstance(x, np.ndarray) else x


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


def halved(inputs: Sequence[Any]) -> list[Any] | None:
    """Half of the batch; None where there is none to halve."""
    sizes = [len(x) for x in inputs if isinstance(x, np.ndarray) and x.ndim]
    if not sizes or sizes[0] < 2:
        return None
    n = sizes[0]
    return [
        x[: n // 2].copy() if isinstance(x, np.ndarray) and x.ndim and len(x) == n else copied(x)
        for x in inputs
    ]


class Numeric:
    """The numeric derivatives of a draw.

    Parameters
    ----------
    draw : Draw
    dys : sequence of arrays
        Further dy, all by the same calls of forward.
    inputs : sequence or None
        Another point than the draw's.
    """

    def __init__(
        self, draw: Draw, dys: Sequence[np.ndarray] = (), inputs: Sequence[Any] | None = None
    ) -> None:
        self.draw = draw
        self.subject = draw.subject.fresh()
        write(self.subject, draw.params)
        self.inputs = [copied(x) for x in (draw.inputs if inputs is None else inputs)]
        self.finite = np.isfinite(draw.y).ravel()  # outputs that are not have no derivative
        self.dys = np.array([draw.dy, *dys], np.float64).reshape(1 + len(dys), -1)[:, self.finite]
        for name in draw.params:  # bare attributes become parameters once they have a gradient
            if name not in self.subject.params:
                self.subject.params[name] = getattr(self.subject.object, name)
        write(self.subject, draw.params)

    def losses(self) -> np.ndarray:
        y = np.asarray(self.subject.forward(self.inputs), np.float64).ravel()
        return self.dys @ y[self.finite]

    def _array(self, name: str) -> np.ndarray:
        if name in self.draw.params:
            return self.subject.params[name]
        return np.asarray(self.inputs[input_index(name)])

    def along(self, name: str, direction: np.ndarray) -> differences.Derivative:
        """The derivative as the array moves along a direction."""
        return differences.directional(self.losses, self._array(name), direction, self.draw.epsilon)

    def elements(
        self, name: str, rng: np.random.Generator, include: Sequence[int] = ()
    ) -> differences.Derivative:
        """The derivatives by every element; by some of a large array, NaN elsewhere.

        `include` holds flat indices of elements that are to be among them.
        """
        array = self._array(name)
        places = None
        if array.size > LARGE:
            chosen = np.union1d(rng.choice(array.size, SAMPLE, replace=False), include)
            indices = np.unravel_index(chosen.astype(int), array.shape)
            places = [tuple(map(int, place)) for place in zip(*indices, strict=True)]
        return differences.gradients(self.losses, array, self.draw.epsilon, places)


def _epsilon(draw: Draw) -> float:
    """float32's where y holds nothing but float32 numbers though the input was moved off them."""
    if draw.y.dtype.kind != "f":
        return float(np.finfo(np.float64).eps)
    if draw.y.dtype != np.float64:
        return float(np.finfo(draw.y.dtype).eps)
    if draw.subject.ours or not draw.y.size:
        return float(np.finfo(np.float64).eps)
    subject = draw.subject.fresh()
    write(subject, draw.params)
    rng = np.random.default_rng(0)
    moved = [x * rng.uniform(1, 1.001, x.shape) if is_float(x) else x for x in draw.inputs]
    y = np.asarray(subject.forward(moved), np.float64)
    with np.errstate(all="ignore"):
        coarse = np.array_equal(y, y.astype(np.float32), equal_nan=True)
    telling = y[(y != 0) & (y != np.round(y))]
    return float(np.finfo(np.float32 if coarse and telling.size else np.float64).eps)
