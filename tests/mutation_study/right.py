"""Right layers where a checker errs most easily: at kinks and ties, rounded, at any size."""

from dataclasses import dataclass

import numpy as np

from nnscratch.gradient_check import check_gradients
from nnscratch.gradient_check.draws import is_float
from tests.mutation_study.zoo import ZOO


def plain(rng, x):
    return x


def rounded(rng, x):
    """Tenths in float32: many equal numbers, and constants of float64 beside them."""
    return np.round(x, 1).astype(np.float32)


def zeros(rng, x):
    """Images are full of zeros."""
    return x * (rng.random(x.shape) > 0.4)


def beside(rng, x):
    """1e-12 to 1e-4 beside what `rounded` gives."""
    distance = 10.0 ** rng.uniform(-12, -4, x.shape) * rng.choice([-1, 0, 1], x.shape)
    return np.round(x, 1) + distance


def small(rng, x):
    return x * 1e-7


def large(rng, x):
    return x * 1e5


PLACES = (plain, rounded, zeros, beside, small, large)


class Mixed:
    """A layer of the library as strangers wrap them: rounded to float32 or float16 inside."""

    def __init__(self, layer, dtype):
        self.layer, self.dtype = layer, dtype

    def forward(self, *inputs):
        inputs = [x.astype(self.dtype) if is_float(x) else x for x in inputs]
        y = self.layer.forward(*(x.astype(float) if is_float(x) else x for x in inputs))
        return np.asarray(y, np.float32).astype(np.float64)

    def backward(self, dy):
        return self.layer.backward(dy)


@dataclass(frozen=True)
class Right:
    """One check of a right layer."""

    case: object
    place: object
    seed: int
    mixed: object = None

    def report(self):
        rng = np.random.default_rng(self.seed)
        given = self.case.inputs(rng)
        moved = tuple(self.place(rng, x) if is_float(x) else x for x in given)
        if hasattr(self.case.build(), "reduction"):  # targets may have to be shares
            moved = (moved[0], *given[1:])
        layer = self.case.build()
        try:
            with np.errstate(all="ignore"):  # what overflows there is the check's own to tell
                y = layer.forward(*moved)
        except ValueError:  # it refuses such numbers
            return None
        if self.mixed is not None and isinstance(y, tuple):
            return None
        layer = self.case.build()
        if self.mixed is not None:
            layer = Mixed(layer, self.mixed)
        return check_gradients(layer, *moved, rng=self.seed)

    def __str__(self):
        words = f"{self.case.build()!r}".replace("\n", "")[:50]
        mixed = f" in {np.dtype(self.mixed)}" if self.mixed is not None else ""
        return f"{words} {self.place.__name__}{mixed} seed {self.seed}"


def rights(seeds):
    """Every layer of the zoo at every place, for some seeds."""
    for seed in range(seeds):
        for case in ZOO:
            for place in PLACES:
                yield Right(case, place, seed)
            if not hasattr(case.build(), "reduction"):
                yield from (Right(case, plain, seed, d) for d in (np.float32, np.float16))


def alarms(seeds, report=None):
    """(alarms in words, number of checks)."""
    found, checks = [], 0
    for right in rights(seeds):
        result = right.report()
        if result is None:
            continue
        checks += 1
        if not result.ok:
            found.append(f"{right}: {result}")
            if report:
                report(found[-1])
    return found, checks
