"""Every gradient against its numeric value, on several draws.

A fast pass moves a whole array along random directions: where the gradient agrees there, it is
right. Only a gradient that does not is looked at element by element, which tells kinks from
mistakes and gives the diagnosis its arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check.conventions import MISSING
from nnscratch.gradient_check.differences import Derivative, spread
from nnscratch.gradient_check.draws import LARGE, Draw, Numeric, is_float
from nnscratch.gradient_check.mistakes.causes import explain
from nnscratch.gradient_check.mistakes.context import Context
from nnscratch.gradient_check.mistakes.hypotheses import wrong_form
from nnscratch.gradient_check.mistakes.naming import diagnose_draws
from nnscratch.gradient_check.mistakes.what_if import alternatives, masked_dys
from nnscratch.gradient_check.report import Finding

DIRECTIONS = 2
TOLERANCE = 1e-5  # of an element, relative
FLOOR = 1e-6  # of an element, relative to the largest
COARSE = 1e-2  # a numeric derivative with a larger relative error tells nothing


class Comparison:
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
        self._values: dict[tuple[int, str], Derivative] = {}

    @property
    def coarse(self) -> bool:
        """Whether the numbers have no more than float32's precision."""
        return self.draws[0].epsilon > 1e-12

    def finding(self, name: str) -> Finding:
        """The verdict on one gradient."""
        first = self.draws[0].got.get(name, MISSING)
        shown = name if name.startswith("dx") else f"d{name}"
        if first is MISSING:
            return Finding(name, "fail", "missing", explain("missing", shown))
        for code, what in wrong_form(first, np.empty(0), Context(name)):
            return Finding(name, "fail", code, explain(code, shown, what))
        draw, dtype = self.draws[0], np.asarray(first).dtype
        promised = draw.subject.ours and draw.y.dtype == np.float64 and np.size(first)
        if promised and dtype != np.float64:
            what = f"{dtype} where everything else is float64"
            return Finding(name, "fail", "dtype", explain("dtype", shown, what))
        suspects = [i for i in range(len(self.draws)) if not self._agrees_along(i, name)]
        if not suspects:
            return Finding(name, "pass")
        judged = {i: self._judge(i, name) for i in suspects}
        if not any(verdict == "fail" for verdict, _ in judged.values()):
            verdict, why = judged.get(0, ("pass", ""))
            return Finding(name, verdict, *_undecided(verdict, why, shown))
        code, message = diagnose_draws([self._evidence(i, name) for i in range(len(self.draws))])
        return Finding(name, "fail", code or "values_differ", message)

    # The fast pass -------------------------------------------------------------------------

    def _agrees_along(self, i: int, name: str) -> bool:
        draw = self.draws[i]
        got, array = draw.got.get(name), draw.array(name)
        if not isinstance(got, (np.ndarray, np.generic, float)):
            return False
        got = np.asarray(got, np.float64)
        if got.shape != array.shape or not np.isfinite(got).all():
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
        found = self.numeric[i].along(name, direction)
        terms = np.asarray(draw.got[name], np.float64) * direction
        size = float(np.sqrt(np.sum(terms**2)))
        value, error = float(found.value[0]), float(found.error[0])
        bound = 1e-6 * size + 5 * error + 1e-11 * float(np.max(np.abs(draw.dy), initial=0))
        if found.kink[0] or not error <= 1e-4 * size + 1e-9:
            return False
        return abs(float(terms.sum()) - value) <= bound

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

    def values(self, i: int, name: str) -> Derivative:
        """The numeric derivatives of one draw, the first for its dy, then for the masked ones."""
        if (i, name) not in self._values:
            numeric = Numeric(self.draws[i], masked_dys(self.draws[i]))
            culprit = self._culprit(i, name) if self.draws[i].array(name).size > LARGE else []
            self._values[i, name] = numeric.elements(name, self.rng, culprit)
        return self._values[i, name]

    def expected(self, i: int, name: str) -> np.ndarray:
        """The numeric gradient of one draw; NaN where there is none to compare with."""
        found = self.values(i, name)
        value = found.value[0].copy()
        value[self._undecided(i, name)[0] | self._undecided(i, name)[1]] = np.nan
        return value

    def _undecided(self, i: int, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Masks of the elements at kinks, and of those whose numeric value is too coarse."""
        found = self.values(i, name)
        value, error = found.value[0], found.error[0]
        with np.errstate(all="ignore"):
            largest = np.nanmax(np.abs(value), initial=0)
            coarse = ~(error <= COARSE * np.fmax(np.abs(value), 0.1 * largest) + 1e-9)
        got = np.asarray(self.draws[i].got.get(name), np.float64)
        if not np.isfinite(self.draws[i].y).all() and got.shape == coarse.shape:
            coarse |= ~np.isfinite(got)  # outside the domain, as log 0
        return found.kink[0], coarse

    def _judge(self, i: int, name: str) -> tuple[str, str]:
        """(verdict, why not more) of one draw."""
        got = np.asarray(self.draws[i].got.get(name), np.float64)
        expected, error = self.expected(i, name), self.values(i, name).error[0]
        if got.shape != expected.shape:
            return "fail", ""
        kink, coarse = self._undecided(i, name)
        decided = ~np.isnan(expected)
        if expected.size and not decided.any():
            return "undecidable", "kink" if kink.sum() >= coarse.sum() else "precision"
        with np.errstate(all="ignore"):
            scale = np.maximum(np.abs(got), np.abs(expected))
            largest = np.max(np.abs(expected[decided]), initial=0)
            bound = TOLERANCE * scale + FLOOR * largest + 10 * error + 1e-10
            wrong = decided & ~(np.isfinite(got) & (np.abs(got - expected) <= bound))
        if wrong.any():
            return "fail", ""
        left_out = int((kink | coarse).sum())
        if 2 * coarse.sum() > coarse.size:
            return "undecidable", "precision"
        where = "at kinks" if kink.any() else "without a clear numeric derivative"
        return "pass", f"{left_out} of {expected.size} elements {where}" if left_out else ""

    # For the diagnosis ---------------------------------------------------------------------

    def _evidence(self, i: int, name: str) -> tuple[Any, np.ndarray, Context]:
        draw = self.draws[i]
        got, expected = draw.got.get(name), self.expected(i, name)
        others = {
            other: self.expected(i, other)
            for other in draw.got
            if other != name
            and (other in draw.params or other.startswith("dx"))
            and is_float(draw.array(other))
            and np.asarray(got).shape == draw.array(other).shape
        }
        tolerance = 1e-5 if draw.epsilon < 1e-12 else 1e-2
        context = Context(
            array="dx" if draw.subject.is_loss else name,
            inputs=draw.inputs,
            dy=draw.dy,
            y=np.asarray(draw.y, np.float64),
            params=draw.params,
            others=others,
            returned={n: g for n, g in draw.got.items() if n != name},
            alternatives=alternatives(draw, name, self.values(i, name), self.rng),
            tolerance=tolerance,
        )
        return got, expected, context


def _undecided(verdict: str, why: str, shown: str) -> tuple[str, str]:
    """(code, message) of a verdict without a mistake."""
    if verdict == "pass":
        return "", why and f"{why} were left out"
    what = "float32, very different sizes, or the edge of the domain" if why == "precision" else ""
    return why, explain(why, shown, what)
