"""Schedules that fall: at once, by and by, or along a curve."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from nnscratch.kinds import checks_kinds
from nnscratch.optimizers.base import Optimizer
from nnscratch.optimizers.schedules import Schedule, cosine, count, not_negative, positive

__all__ = ["CosineDecay", "ExponentialDecay", "Milestones", "Polynomial", "StepDecay"]


class StepDecay(Schedule):
    """Multiply the rate by `factor` after every `every` steps.

    Parameters
    ----------
    optimizer : Optimizer
    every : int >= 1
    factor : float

    Examples
    --------
    >>> import nnscratch as nn
    >>> optimizer = nn.SGD(nn.Bias(1), learning_rate=8.0)
    >>> schedule = StepDecay(optimizer, every=2, factor=0.5)
    >>> for _ in range(5):
    ...     print(optimizer.learning_rate, end=" ")
    ...     schedule.step()
    8.0 8.0 4.0 4.0 2.0
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, every: int, factor: float = 0.1) -> None:
        self.every, self.factor = count("every", every), positive("factor", factor)
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        return self.base * self.factor ** (step // self.every)


class CosineDecay(Schedule):
    """Half a cosine from the base rate down to `final` in `steps` steps, and `final` after.

    Parameters
    ----------
    optimizer : Optimizer
    steps : int >= 1
    final : float

    Notes
    -----
    rate(t) = final + (base - final) · (1 + cos(π t / steps)) / 2.

    References
    ----------
    Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts (2017), eq. 5.

    Examples
    --------
    >>> import nnscratch as nn
    >>> schedule = CosineDecay(nn.SGD(nn.Bias(1), 8.0), steps=4)
    >>> [round(schedule.rate(step), 3) for step in range(6)]
    [8.0, 6.828, 4.0, 1.172, 0.0, 0.0]
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, steps: int, final: float = 0.0) -> None:
        self.steps = self.planned = count("steps", steps)
        self.final = not_negative("final", final)
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        return cosine(self.base, self.final, min(step / self.steps, 1.0))


class ExponentialDecay(Schedule):
    """Multiply the rate by `factor` after every step.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float > 0

    Notes
    -----
    rate(t) = base · factorᵗ.

    Examples
    --------
    >>> import nnscratch as nn
    >>> schedule = ExponentialDecay(nn.SGD(nn.Bias(1), 8.0), factor=0.5)
    >>> [schedule.rate(step) for step in range(4)]
    [8.0, 4.0, 2.0, 1.0]
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, factor: float) -> None:
        self.factor = positive("factor", factor)
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        return self.base * self.factor**step


class Milestones(Schedule):
    """Multiply the rate by `factor` at each of some steps.

    Parameters
    ----------
    optimizer : Optimizer
    steps : sequence of int
        Ascending.
    factor : float

    Examples
    --------
    >>> import nnscratch as nn
    >>> schedule = Milestones(nn.SGD(nn.Bias(1), 8.0), steps=[2, 3], factor=0.5)
    >>> [schedule.rate(step) for step in range(5)]
    [8.0, 8.0, 4.0, 2.0, 2.0]
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, steps: Sequence[int], factor: float = 0.1) -> None:
        if not isinstance(steps, Iterable):
            raise ValueError(f"Milestones expected ascending steps, received {steps!r}")
        self.milestones = [count("steps", step) for step in steps]
        self.factor = positive("factor", factor)
        if not self.milestones or self.milestones != sorted(self.milestones):
            raise ValueError(f"Milestones expected ascending steps, received {steps}")
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        return self.base * self.factor ** bisect_right(self.milestones, step)


class Polynomial(Schedule):
    """From the base rate down to `final` along a power, in `steps` steps, and `final` after.

    Parameters
    ----------
    optimizer : Optimizer
    steps : int >= 1
    power : float > 0
        1 is a straight line.
    final : float

    Notes
    -----
    rate(t) = final + (base - final) · (1 - t / steps)^power.

    Examples
    --------
    >>> import nnscratch as nn
    >>> optimizer = nn.SGD(nn.Bias(1), 8.0)
    >>> line, parabola = Polynomial(optimizer, steps=4), Polynomial(optimizer, steps=4, power=2)
    >>> [(line.rate(step), parabola.rate(step)) for step in range(5)]
    [(8.0, 8.0), (6.0, 4.5), (4.0, 2.0), (2.0, 0.5), (0.0, 0.0)]
    """

    @checks_kinds
    def __init__(
        self, optimizer: Optimizer, steps: int, power: float = 1.0, final: float = 0.0
    ) -> None:
        self.steps = self.planned = count("steps", steps)
        self.power, self.final = positive("power", power), not_negative("final", final)
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        left = 1 - min(step / self.steps, 1.0)
        return self.final + (self.base - self.final) * left**self.power
