"""What a gradient may be where there is none: at kinks, and where several elements tie.

Between the slopes of the two sides, for each output apart; and along a direction in which the
outputs are smooth, such as tied elements of a maximum moved together, exactly the slope there.

A chain of right layers may give another value yet: relu(x) - relu(-x) at 0, by the gradients of
its parts. So what lies outside is held against the slopes at points close by: only where each
output has there the slope of one of the two sides is the kink one of the layer itself, and the
gradient wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from nnscratch.gradient_check.differences import STEPS, Enclosure, spread
from nnscratch.gradient_check.draws import is_float
from nnscratch.gradient_check.numeric import ROUNDED, Numeric

__all__ = ["Kinks", "shared_kinks"]

NEARBY = 8  # points close by
AWAY = 1e-6  # how close
BESIDE, CLOSE = 1e-5, 1e-9  # the steps of slopes at the kink, and at points close by
TIES = 12  # groups of equal numbers that are looked at


class Kinks:
    """The kinks of a draw, judged with derivatives at points close by.

    Parameters
    ----------
    numeric : Numeric
    rng : numpy.random.Generator
    """

    def __init__(self, numeric: Numeric, rng: np.random.Generator) -> None:
        self.numeric, self.rng = numeric, rng
        self._near: list[Numeric] | None = None

    def accuses(self, directions: Mapping[str, np.ndarray], got: float, found: Enclosure) -> bool:
        """Whether a derivative outside of an enclosure at a kink is surely wrong."""
        if self.numeric.share > ROUNDED and not self._stays(directions):
            return False  # it may bend below what the object resolves
        low, high = found.value[0] - found.half[0], found.value[0] + found.half[0]
        slack = 1e-5 * max(abs(low), abs(high)) + float(found.noise[0])
        near, own = self._slopes(directions)
        if own:
            return True
        low, high = min(low, *near), max(high, *near)
        width = high - low
        return not low - width - slack <= got <= high + width + slack

    def tie_is_wrong(self, got: Mapping[str, Any], kinks: Mapping[str, np.ndarray]) -> bool:
        """Whether along tied elements, moved together, the gradients are not the slope."""
        arrays = {name: np.asarray(self.numeric.draw.array(name)) for name in got}
        gradients = {name: np.asarray(g, np.float64) for name, g in got.items()}
        return any(self._differs(along, gradients) for along in shared_kinks(arrays, kinks))

    def _differs(
        self, directions: Mapping[str, np.ndarray], gradients: Mapping[str, np.ndarray]
    ) -> bool:
        got = sum(float(np.sum(gradients[name] * d)) for name, d in directions.items())
        found = self.numeric.directional(directions, thorough=True)
        size = float(found.half[0]) + 1e-5 * (abs(got) + abs(float(found.value[0])))
        far = abs(got - found.value[0]) > size + 1e-12
        return bool(far) and self.accuses(directions, got, found)

    def _stays(self, directions: Mapping[str, np.ndarray]) -> bool:
        """Whether the slopes of both sides are those of an eighth of the step, as at a kink."""
        numeric = self.numeric
        near, far = (
            np.array(numeric.sides(directions, h)) @ numeric.dys[0] for h in STEPS[:2][::-1]
        )
        return bool(np.all(np.abs(near - far) <= 0.2 * np.abs(near).max()))

    def _slopes(self, directions: Mapping[str, np.ndarray]) -> tuple[list[float], bool]:
        """The slopes at points close by; whether each output has that of one of the two sides."""
        numeric = self.numeric
        if numeric.share > ROUNDED:
            return [0.0], False
        sides = numeric.sides(directions, BESIDE)
        size = np.abs(sides).max(axis=0)
        slack = 1e-3 * size + 1e-9 * np.max(size, initial=0)
        found, own = [], True
        for point in self.nearby():
            try:
                ahead, behind = point.sides(directions, CLOSE)
            except Exception:  # outside the domain
                continue
            slope = (ahead + behind) / 2
            found.append(float(numeric.dys[0] @ slope))
            own &= bool(np.all(np.min(np.abs(sides - slope), axis=0) <= slack + CLOSE))
        return found or [0.0], own and bool(found)

    def nearby(self) -> list[Numeric]:
        """The same computation at points close by, where everything has moved a little."""
        if self._near is None:
            self._near = []
            draw = self.numeric.draw
            for _ in range(NEARBY):
                inputs = [self._moved(x) if is_float(x) else x for x in self.numeric.inputs]
                params = {name: self._moved(a) for name, a in self.numeric.params.items()}
                try:
                    self._near.append(Numeric(draw, inputs=inputs, params=params))
                except Exception:  # outside the domain
                    continue
        return self._near

    def _moved(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(x + AWAY * spread(x) * self.rng.uniform(-1, 1, x.shape))


def shared_kinks(
    arrays: Mapping[str, np.ndarray], kinks: Mapping[str, np.ndarray]
) -> Iterator[dict[str, np.ndarray]]:
    """Directions that move together what is equal and at a kink: tied maxima, within and between
    arrays."""  # fmt: skip
    values = [arrays[name][mask] for name, mask in kinks.items()]
    every = np.unique(np.concatenate([v.ravel() for v in values])) if values else np.empty(0)
    for value in every[:TIES]:
        tied = {name: (arrays[name] == value) & mask for name, mask in kinks.items()}
        if sum(int(mask.sum()) for mask in tied.values()) > 1:
            # equal numbers, so one step for all of them
            step = min(
                float(spread(arrays[n])[mask].min()) for n, mask in tied.items() if mask.any()
            )
            yield {name: step * mask for name, mask in tied.items() if mask.any()}
