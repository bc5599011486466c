"""Every gradient against its numeric value, on several draws.

A fast pass moves a whole array along random directions: where the gradient agrees there, it is
right. Only a gradient that does not is looked at element by element, which tells kinks from
mistakes and gives the diagnosis its arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.gradient_check.differences import spread
from nnscratch.gradient_check.draws import Draw, is_float
from nnscratch.gradient_check.evidence import evidence, telling
from nnscratch.gradient_check.kinks import Kinks
from nnscratch.gradient_check.left_behind import MISSING
from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.mistakes.hypotheses import wrong_form
from nnscratch.gradient_check.mistakes.naming import diagnose_draws, difference
from nnscratch.gradient_check.numeric import LARGE, Derivatives, Numeric
from nnscratch.gradient_check.precision import lost, unseen
from nnscratch.gradient_check.report import Finding

__all__ = ["Examination"]

DIRECTIONS = 2
TOLERANCE = {8: 1e-5, 4: 1e-4, 2: 3e-2}  # of an element, relative, by the bytes of its dtype
FLOOR = {8: 1e-6, 4: 2e-5, 2: 1e-2}  # of an element, relative to the largest
COARSE = 3e-2  # an enclosure that is wider than this by noise tells nothing
WAVES = 10.0  # enclosures of what rounds may miss waves that are shorter than their steps
CHECKED = 80  # failing elements of one array that are looked at with all steps


@dataclass
class Verdict:
    """The judgement on one gradient of one draw."""

    verdict: str
    why: str = ""
    left_out: int = 0
    code: str = ""  # of a mistake at a kink


class Examination:
    """The gradients of several draws of one computation, judged one by one.

    Parameters
    ----------
    draws : sequence of Draw
        The caller's own first.
    rng : numpy.random.Generator
    """

    def __init__(self, draws: Sequence[Draw], rng: np.random.Generator) -> None:
        self.draws, self.rng = list(draws), rng
        self.numeric = [Numeric(draw) for draw in draws]
        self.kinks = [Kinks(numeric, rng) for numeric in self.numeric]
        self._values: dict[tuple[int, str], Derivatives] = {}

    @property
    def coarse(self) -> bool:
        """Whether the numbers have no more than float32's precision."""
        return self.numeric[0].share > 1e-12

    def finding(self, name: str) -> Finding:
        """The verdict on one gradient."""
        first = self.draws[0].got.get(name, MISSING)
        shown = name if name.startswith("dx") else f"d{name}"
        if first is MISSING:
            if (name.startswith("dx[") or name in self.draws[0].params) and not self.moves(name):
                return Finding(name, "pass", "", "y does not depend on it")
            return Finding(name, "fail", "missing", explain("missing", shown))
        for code, what in wrong_form(first, np.empty(0), Context(name)):
            return Finding(name, "fail", code, explain(code, shown, what))
        if self.numeric[0].finite.size and not self.numeric[0].finite.any():
            return self._undecided(name, Verdict("undecidable", "precision"), shown)
        draw, dtype = self.draws[0], np.asarray(first).dtype
        promised = draw.subject.ours and draw.y.dtype == np.float64 and np.size(first)
        if promised and dtype != np.float64:
            what = f"{dtype} where everything else is float64"
            return Finding(name, "fail", "dtype", explain("dtype", shown, what))
        suspects = [i for i in range(len(self.draws)) if not self.agrees_along(i, name)]
        judged = {i: self._judge(i, name) for i in suspects}
        if not any(v.verdict == "fail" for v in judged.values()):
            return self._undecided(name, judged.get(0, Verdict("pass")), shown)
        if any(unseen(self.numeric[i], name) for i, v in judged.items() if v.verdict == "fail"):
            return self._undecided(name, Verdict("undecidable", "precision"), shown)
        at_kinks = [v for v in judged.values() if v.verdict == "fail" and v.code]
        if len(at_kinks) == sum(v.verdict == "fail" for v in judged.values()):
            code = at_kinks[0].code
            return Finding(name, "fail", code, explain(code, shown, at_kinks[0].why))
        every = [evidence(self, i, name) for i in range(len(self.draws))]
        cases, where = telling(every, self.draws)
        code, message = diagnose_draws(cases)
        message = message or difference(
            *every[next(i for i in judged if judged[i].verdict == "fail")]
        )
        message += f" ({where})" if where else ""
        return Finding(name, "fail", code or "values_differ", message)

    @property
    def drowned(self) -> bool:
        """Whether the outputs of a draw are known to a part of their own size only."""
        return any(numeric.drowned for numeric in self.numeric)

    def undecided_if_unnamed(self, name: str, found: Finding) -> Finding:
        """The finding, but where it is only that the numbers differ: those tell nothing."""
        if (found.verdict, found.code) != ("fail", "values_differ"):
            return found
        shown = name if name.startswith("dx") else f"d{name}"
        return self._undecided(name, Verdict("undecidable", "precision"), shown)

    def moves(self, name: str) -> bool:
        """Whether an array moves the output at all."""
        array, numeric = self.draws[0].array(name), self.numeric[0]
        direction = {name: spread(array) * self.rng.uniform(0.5, 1.5, np.shape(array))}
        return any(np.any(numeric.along(direction, t) != numeric.here) for t in (1e-3, -1e-3))

    def _undecided(self, name: str, found: Verdict, shown: str) -> Finding:
        if found.verdict == "pass":
            words = f"{found.left_out} elements {found.why}" if found.left_out else ""
            return Finding(name, "pass", "", words)
        what = self.numeric[0].in_words()
        return Finding(name, "undecidable", found.why, explain(found.why, shown, what))

    # The fast pass -------------------------------------------------------------------------

    def agrees_along(self, i: int, name: str) -> bool:
        """Whether the gradient agrees as the whole array moves at random."""
        draw = self.draws[i]
        got, array = draw.got.get(name), draw.array(name)
        if not isinstance(got, (np.ndarray, np.generic, float)):
            return False
        got = np.asarray(got)
        if got.dtype.kind != "f" or got.shape != np.shape(array) or not np.isfinite(got).all():
            return False
        if not array.size:
            return True
        everywhere = np.ones(array.size, bool)
        return all(self._agrees_on(i, name, everywhere) for _ in range(DIRECTIONS if i == 0 else 1))

    def _agrees_on(self, i: int, name: str, moved: np.ndarray) -> bool:
        """Whether the gradient is right as the elements of a flat mask move at random."""
        draw, array = self.draws[i], self.draws[i].array(name)
        direction = spread(array) * self.rng.uniform(0.5, 1.5, array.shape)
        direction *= self.rng.choice([-1.0, 1.0], array.shape) * moved.reshape(array.shape)
        got = np.asarray(draw.got[name])
        try:
            found = self.numeric[i].directional({name: direction})
        except Exception:  # outside the domain: element by element then
            return False
        terms = np.asarray(got, np.float64) * direction
        size = float(np.sqrt(np.sum(terms**2)))
        bound = 0.1 * TOLERANCE[min(got.dtype.itemsize, 8)] * size + float(found.half[0])
        enough = found.half[0] <= 1e-4 * size + 2 * found.noise[0] and found.noise[0] <= COARSE * (
            size
        )
        if not enough and (size or found.half[0] > found.noise[0]):
            return False
        return bool(abs(float(terms.sum()) - float(found.value[0])) <= bound)

    def _culprit(self, i: int, name: str) -> list[int]:
        """One element of a large array that is wrong, found by halving."""
        got, array = self.draws[i].got.get(name), self.draws[i].array(name)
        if np.shape(np.asarray(got)) != array.shape or not np.isfinite(np.asarray(got)).all():
            return []
        low, high = 0, array.size
        while high - low > 1:
            middle = (low + high) // 2
            moved = np.zeros(array.size, bool)
            moved[low:middle] = True
            if self._agrees_on(i, name, moved):
                low = middle
            else:
                high = middle
        return [low]

    # Element by element --------------------------------------------------------------------

    def values(self, i: int, name: str) -> Derivatives:
        """The numeric derivatives of one draw."""
        if (i, name) not in self._values:
            large = self.draws[i].array(name).size > LARGE
            culprit = self._culprit(i, name) if large else []
            self._values[i, name] = self.numeric[i].elements(name, self.rng, culprit)
        return self._values[i, name]

    def expected(self, i: int, name: str) -> np.ndarray:
        """The numeric gradient of one draw; NaN where there is none to compare with."""
        found = self.values(i, name)
        unknown = self._coarse(i, name) | found.kink[0]
        return np.asarray(np.where(unknown, np.nan, found.value[0]))

    def _got(self, i: int, name: str) -> Any:
        """The gradient, NaN where there is none."""
        got = self.draws[i].got.get(name)
        return np.nan if got is MISSING else got

    def _coarse(self, i: int, name: str) -> np.ndarray:
        """The elements whose numeric value tells nothing."""
        found = self.values(i, name)
        value, noise, half = found.value[0], found.noise[0], found.half[0]
        got = np.asarray(self._got(i, name), np.float64)
        with np.errstate(all="ignore"):
            size = np.fmax(np.abs(value), 0.1 * np.nanmax(np.abs(value), initial=0))
            if got.shape == value.shape:
                size = np.fmax(size, np.abs(got))
            bad = (noise > COARSE * size) & (size > 0) & ~self._nothing(i, name, found, got)
            bad |= ~np.isfinite(half)
        if not np.isfinite(self.draws[i].y).all() and got.shape == bad.shape:
            bad |= ~np.isfinite(got)  # outside the domain, as log 0
        return np.asarray(bad)

    def _nothing(self, i: int, name: str, found: Derivatives, got: np.ndarray) -> np.ndarray:
        """The elements whose derivative is 0 by both, next to how much the outputs vary."""
        numeric = self.numeric[i]
        if got.shape != found.value[0].shape:
            return np.zeros(found.value[0].shape, bool)
        varies = float(np.std(numeric.here)) if numeric.here.size else 0.0
        natural = varies * float(np.max(np.abs(numeric.dys[0]), initial=0))
        small = found.half[0] * spread(numeric.array(name)) <= 1e-6 * natural
        return np.asarray(
            small & (np.abs(found.value[0]) <= found.half[0]) & (np.abs(got) <= found.half[0])
        )

    def _judge(self, i: int, name: str) -> Verdict:
        """The verdict on one draw."""
        raw = np.asarray(self.draws[i].got.get(name))
        found, array = self.values(i, name), self.draws[i].array(name)
        if raw.shape != np.shape(array):
            return Verdict("fail")
        got, width = np.asarray(raw, np.float64), min(raw.dtype.itemsize, 8)
        floor = lost(self.draws, name)
        wrong = self._outside(found, got, width, floor, WAVES if self.coarse else 1.0)
        wrong &= ~self._coarse(i, name)
        for index in list(zip(*np.nonzero(wrong), strict=True))[:CHECKED] if array.ndim else [()]:
            if wrong[index]:
                self.numeric[i].sweep(found, name, tuple(map(int, index)))
        coarse = self._coarse(i, name)
        wrong = self._outside(found, got, width, floor, WAVES if self.coarse else 1.0) & ~coarse
        kink = found.kink[0] & ~coarse
        if (wrong & ~kink).any():
            return Verdict("fail")
        for index in list(zip(*np.nonzero(wrong & kink), strict=True)) if array.ndim else [()]:
            if wrong[index] and self._accused(i, name, got, tuple(map(int, index))):
                low, high = found.value[0][index] + found.half[0][index] * np.array([-1, 1])
                place = f"[{', '.join(map(str, map(int, index)))}] " if index else ""
                words = f"{place}it is {got[index]:.6g}, between {low:.6g} and {high:.6g} is right"
                return Verdict("fail", words, code="outside_kink")
        if kink.any() and self._tie_is_wrong(i):
            return Verdict("fail", code="every_maximum")
        return self._left(found, kink, coarse, wrong)

    @staticmethod
    def _left(
        found: Derivatives, kink: np.ndarray, coarse: np.ndarray, wrong: np.ndarray
    ) -> Verdict:
        looked = ~np.isnan(found.value[0])
        decided = looked & ~kink & ~coarse
        if looked.any() and not decided.any():
            return Verdict("undecidable", "kink" if kink.sum() >= coarse.sum() else "precision")
        if 2 * coarse.sum() > coarse.size:
            return Verdict("undecidable", "precision")
        count = int((kink | coarse).sum())
        words = (
            "at kinks of several parts at once were left out"
            if wrong.any()
            else "at kinks lie between the slopes of both sides"
            if kink.any()
            else "without a clear numeric derivative were left out"
        )
        return Verdict("pass", words, count)

    @staticmethod
    def _outside(
        found: Derivatives, got: np.ndarray, width: int, floor: float, margin: float
    ) -> np.ndarray:
        value, half = found.value[0], found.half[0]
        with np.errstate(all="ignore"):
            scale = np.maximum(np.abs(got), np.abs(value))
            largest = np.nanmax(np.abs(value), initial=0)
            bound = TOLERANCE[width] * scale + FLOOR[width] * largest + margin * half + floor
            return np.asarray(
                ~np.isnan(value) & ~(np.isfinite(got) & (np.abs(got - value) <= bound))
            )

    def _accused(self, i: int, name: str, got: np.ndarray, index: tuple[int, ...]) -> bool:
        direction = np.zeros(got.shape)
        direction[index] = spread(self.numeric[i].array(name))[index]
        found = self.numeric[i].directional({name: direction}, thorough=True)
        derivative = float(np.sum(got * direction))
        return self.kinks[i].accuses({name: direction}, derivative, found)

    def _tie_is_wrong(self, i: int) -> bool:
        """Whether along tied elements, moved together, the gradients are not the slope."""
        draw = self.draws[i]
        names = [
            n for n in draw.got
            if n.startswith("dx") and is_float(draw.array(n)) and n not in draw.params
            and np.shape(draw.got[n]) == draw.array(n).shape
        ]  # fmt: skip
        masks = {n: self.values(i, n).kink[0] & ~self._coarse(i, n) for n in names}
        return self.kinks[i].tie_is_wrong({n: draw.got[n] for n in names}, masks)
