"""The numeric derivatives of a draw, by what moves: one array at once, or element by element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from nnscratch.gradient_check.differences import Enclosure, enclose, slopes, spread
from nnscratch.gradient_check.draws import (
    Draw,
    copied,
    flat,
    input_index,
    is_float,
    write,
)
from nnscratch.gradient_check.noise import measured

__all__ = ["Derivatives", "Numeric"]

ROUNDED = 1e-12  # the share of y that is noise where an object rounds
DROWNED = 0.1  # the share of y from which its noise leaves nothing to compare
BESIDE = (0.1, 1e-3, 0.0)  # where the noise is measured: nearer where that is outside the domain
ELSEWHERE = (0.2, 0.4, 1.0)  # where nothing moves there
SAMPLE = 200  # elements of a large array that are looked at one by one
LARGE = 3000
WHOLE = 3_000_000  # numbers of a Jacobian that is kept whole
COLUMNS = 64  # dys at once
SWEPT = 120  # elements for which all steps are tried


@dataclass
class Derivatives:
    """The derivatives by every element of an array; NaN where an element was not looked at.

    Attributes
    ----------
    value, half, noise, kink : arrays (dys, *array.shape)
        As of an `Enclosure`.
    jacobian : array (outputs, *array.shape) or None
        Of the outputs by every element, where that is not too large.
    """

    value: np.ndarray
    half: np.ndarray
    noise: np.ndarray
    kink: np.ndarray
    jacobian: np.ndarray | None = None


class Numeric:
    """The numeric derivatives of dy · y.

    Parameters
    ----------
    draw : Draw
    dys : sequence of arrays
        Further dy, flat as the outputs are.
    inputs : sequence or None
        Another point than the draw's.
    params : mapping or None
    """

    def __init__(
        self,
        draw: Draw,
        dys: Sequence[np.ndarray] = (),
        inputs: Sequence[Any] | None = None,
        params: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.draw = draw
        self.subject = draw.subject.fresh()
        self.inputs = [copied(x) for x in (draw.inputs if inputs is None else inputs)]
        self.params = dict(draw.params if params is None else params)
        write(self.subject, self.params)
        self.here = self._values(flat(self.subject.forward(self.inputs)))
        self.finite = np.isfinite(self.here)  # outputs that are not have no derivative
        self.here = np.where(self.finite, self.here, 0)
        rows = [flat(draw.dys), *(np.ravel(dy) for dy in dys)]
        self.dys = np.where(self.finite, np.array(rows, np.float64), 0)
        self._noise: dict[str, tuple[np.ndarray, np.ndarray]] = {}

    def _values(self, y: np.ndarray) -> np.ndarray:
        return y

    # Moving arrays ------------------------------------------------------------------------

    def outputs(self) -> np.ndarray:
        """All outputs as one row."""
        y = flat(self.subject.forward(self.inputs))
        if y.shape != self.here.shape:
            raise ValueError("forward gives another shape at a point nearby")
        return np.where(self.finite, y, 0)

    def array(self, name: str) -> np.ndarray:
        """The numbers at the draw's point."""
        if name in self.params:
            return np.asarray(self.params[name], np.float64)
        return np.asarray(self.inputs[input_index(name)])

    def put(self, name: str, value: np.ndarray) -> None:
        if name in self.params:
            self.subject.write(name, value)
        else:
            self.inputs[input_index(name)][...] = value

    def along(self, directions: Mapping[str, np.ndarray], t: float) -> np.ndarray:
        """All outputs with the arrays moved by t along their directions."""
        kept = {name: self.array(name).copy() for name in directions}
        try:
            for name, direction in directions.items():
                self.put(name, kept[name] + t * direction)
            return self.outputs()
        finally:
            for name, value in kept.items():
                self.put(name, value)

    # Noise --------------------------------------------------------------------------------

    def noise(self, *names: str) -> tuple[np.ndarray, np.ndarray]:
        """The noise of each output as these arrays move, and whether a move stands out."""
        for name in names:
            if name not in self._noise:
                self._noise[name] = self._measured(name)
        found = [self._noise[name] for name in names]
        return np.max([n for n, _ in found], axis=0), np.all([firm for _, firm in found], axis=0)

    def _measured(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """At a point beside the draw's, so that its kinks and ties do not count.

        Where all outputs stand still there, as at the limit of Clip, further points are tried; of
        an object that rounds the noise at the point itself counts too.
        """
        found = next((f for shift in BESIDE if (f := self._measured_at(name, shift))), None)
        if found is None:
            return 1e-15 * (1 + np.abs(self.here)), np.zeros(self.here.shape, bool)
        if not found[2]:
            others = (self._measured_at(name, shift) for shift in ELSEWHERE)
            found = next((other for other in others if other and other[2]), found)
        noise, firm, moves = found
        if not moves:  # then what rounds is seen by the other arrays
            others = (self._measured_at(other, BESIDE[0]) for other in self._arrays() - {name})
            noise = np.max([noise, *(other[0] for other in others if other)], axis=0)
        if noise.size and np.median(noise) > ROUNDED * np.median(np.abs(self.here)):
            # what rounds may lose more digits at the point itself, as differences of close numbers
            at_point = self._measured_at(name, 0.0)
            noise = noise if at_point is None else np.maximum(noise, at_point[0])
        return noise, firm

    def _arrays(self) -> set[str]:
        """The names of all floating arrays."""
        inputs = ["dx"] if len(self.inputs) == 1 else [f"dx[{i}]" for i in range(len(self.inputs))]
        floating = {n for n, x in zip(inputs, self.inputs, strict=True) if is_float(x)}
        return floating | set(self.params)

    def _measured_at(self, name: str, shift: float) -> tuple[np.ndarray, np.ndarray, bool] | None:
        """The noise at a distance from the point; None outside the domain."""
        rng = np.random.default_rng(int(10 * shift))
        kept = self.array(name).copy()
        # at the point itself nothing moves far: 1 / x bends within a share of x
        size = spread(kept) if shift or not kept.any() else np.abs(kept)
        direction = size * rng.uniform(0.5, 1.5, kept.shape) * rng.choice([-1, 1], kept.shape)
        aside = kept + shift * size * rng.uniform(-1, 1, kept.shape)

        def at(t: float) -> np.ndarray:
            self.put(name, aside + t * direction)
            return self.outputs()

        try:
            inside = shift == 0 or bool(np.isfinite(at(0.0)).all())
            return measured(at, self.here) if inside else None
        except Exception:
            return None
        finally:
            self.put(name, kept)

    @property
    def share(self) -> float:
        """The noise relative to the outputs, as far as it was measured."""
        size = np.abs(self.here)
        found = [float(np.median((n / size)[size > 0])) for n, _ in self._noise.values()
                 if (size > 0).any()]  # fmt: skip
        return max(found, default=0.0)

    @property
    def drowned(self) -> bool:
        """Whether the noise that was measured is a good part of the outputs themselves."""
        if not self.here.size:
            return False
        size = float(np.median(np.abs(self.here)))
        return any(
            float(np.median(noise)) > DROWNED * size and (size > 0 or not firm.any())
            for noise, firm in self._noise.values()
        )

    def in_words(self) -> str:
        """How coarse the outputs are."""
        if self.here.size and not self.finite.any():
            return "y is not finite"
        if not self.here.size or not self._noise:
            return "the edge of the domain"
        noise = max(float(np.median(n)) for n, _ in self._noise.values())
        return f"y is about {np.median(np.abs(self.here)):.1g}, and known to {noise:.1g} only"

    def _step(self, noise: np.ndarray, power: float) -> float:
        """A step that balances the noise against the curvature."""
        size = float(np.max(np.abs(self.here), initial=0))
        relative = float(np.max(noise, initial=0)) / size if size else 1e-15
        return float(np.clip(relative**power, 1e-8, 1.6e-2))

    # Derivatives --------------------------------------------------------------------------

    def directional(
        self, directions: Mapping[str, np.ndarray], thorough: bool = False
    ) -> Enclosure:
        """The derivative as arrays move along directions."""
        noise, firm = self.noise(*directions)
        at = partial(self.along, directions)
        if thorough:
            return enclose(at, self.here, noise, self.dys, firm)
        return slopes(at, self.here, self._step(noise, 0.5), noise, self.dys)

    def sides(
        self, directions: Mapping[str, np.ndarray], h: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """The slopes of every output at a distance h: (ahead, behind)."""
        ahead, behind = self.along(directions, h), self.along(directions, -h)
        return (ahead - self.here) / h, (self.here - behind) / h

    def element(self, name: str, index: tuple[int, ...], scale: float) -> Enclosure:
        """The derivative by one element, by all steps."""
        direction = np.zeros(self.array(name).shape)
        direction[index] = scale
        at = partial(self.along, {name: direction})
        noise, firm = self.noise(name)
        found = enclose(at, self.here, noise, self.dys, firm)
        return Enclosure(found.value / scale, found.half / scale, found.noise / scale, found.kink)

    def elements(
        self, name: str, rng: np.random.Generator, include: Sequence[int] = ()
    ) -> Derivatives:
        """The derivatives by every element; by some of a large array, NaN elsewhere.

        `include` holds flat indices of elements that are to be among them. One step each; all
        steps for those where one is not enough, up to a number.
        """
        array = self.array(name)
        places = self._places(array, rng, include)
        shape, count = (len(self.dys), *array.shape), len(self.here)
        nan, inf = np.full(shape, np.nan), np.full(shape, np.inf)
        found = Derivatives(nan, inf, np.zeros(shape), np.zeros(shape, bool))
        if count * array.size <= WHOLE:
            found.jacobian = np.full((count, *array.shape), np.nan)
        scale, noise = spread(array), self.noise(name)[0]
        h = self._step(noise, 1 / 3)
        unsure = [i for i in places if not self._quick(found, name, i, scale[i], h, noise)]
        if len(unsure) > SWEPT:
            unsure = [unsure[i] for i in rng.choice(len(unsure), SWEPT, replace=False)]
        for index in unsure:
            self.sweep(found, name, index)
        return found

    def sweep(self, found: Derivatives, name: str, index: tuple[int, ...]) -> None:
        """Look at one element with all steps, which tell more than one."""
        one = self.element(name, index, float(spread(self.array(name))[index]))
        place: tuple[Any, ...] = (slice(None), *index)
        known = np.isfinite(one.half)
        for key in ("value", "half", "noise", "kink"):
            kept = getattr(found, key)
            kept[place] = np.where(known, getattr(one, key), kept[place])

    def _quick(
        self,
        found: Derivatives,
        name: str,
        index: tuple[int, ...],
        scale: float,
        h: float,
        noise: np.ndarray,
    ) -> bool:
        """One step to both sides; whether that is enough."""
        array = self.array(name)
        direction = np.zeros(array.shape)
        direction[index] = scale
        seen: dict[float, np.ndarray] = {}

        def at(t: float) -> np.ndarray:
            seen[t] = self.along({name: direction}, t)
            return seen[t]

        one = slopes(at, self.here, h, noise, self.dys)
        place: tuple[Any, ...] = (slice(None), *index)
        found.value[place] = np.where(np.isfinite(one.half), one.value / scale, np.nan)
        found.half[place], found.noise[place] = one.half / scale, one.noise / scale
        found.kink[place] = one.kink
        if found.jacobian is not None:
            found.jacobian[place] = (seen[h] - seen[-h]) / (2 * h * scale)
        # a smooth function's one-sided slopes differ by its curvature times the step
        apart = one.half[0] - one.noise[0]
        return bool(apart <= 300 * h * (abs(one.value[0]) + one.noise[0]) and h < 1e-4)

    @staticmethod
    def _places(
        array: np.ndarray, rng: np.random.Generator, include: Sequence[int]
    ) -> list[tuple[int, ...]]:
        if array.size <= LARGE:
            return list(np.ndindex(array.shape))
        chosen = np.union1d(rng.choice(array.size, SAMPLE, replace=False), include)
        indices = np.unravel_index(chosen.astype(int), array.shape)
        return [tuple(map(int, place)) for place in zip(*indices, strict=True)]
