"""Schedules: the learning rate over the steps of a training run.

A schedule takes the optimizer's learning rate at its making as the base rate, and sets
`optimizer.learning_rate` for the step that comes next: once when it is made, and again at every
`.step()`, which follows the optimizer's step. `Trainer` calls it after every minibatch, so
`steps`, `warmup` and `every` count minibatches there; in a loop of one's own they count whatever
one calls it after.
"""

from __future__ import annotations

import math

from nnscratch.optimizers.base import Optimizer

__all__ = ["CosineDecay", "StepDecay", "WarmupCosine"]


class Schedule:
    """What all schedules share: counting steps and setting the rate.

    Attributes
    ----------
    base : float
        The optimizer's learning rate when the schedule was made.
    steps_taken : int
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base = optimizer.learning_rate
        self.go_to(0)

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        raise NotImplementedError

    def step(self) -> None:
        """Set the optimizer's learning rate for the next step."""
        self.go_to(self.steps_taken + 1)

    def go_to(self, step: int) -> None:
        """Stand before the given step, as `resume` needs."""
        self.steps_taken = step
        self.optimizer.learning_rate = self.rate(step)


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

    def __init__(self, optimizer: Optimizer, every: int, factor: float = 0.1) -> None:
        self.every, self.factor = _positive("every", every), factor
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
    """

    def __init__(self, optimizer: Optimizer, steps: int, final: float = 0.0) -> None:
        self.steps, self.final = _positive("steps", steps), final
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        return _cosine(self.base, self.final, min(step / self.steps, 1.0))


class WarmupCosine(Schedule):
    """A straight rise to the base rate in `warmup` steps, then half a cosine down to 0.

    Parameters
    ----------
    optimizer : Optimizer
    warmup : int >= 0
    steps : int > warmup
        All of them, the warm-up included.

    Notes
    -----
    rate(t) = base · (t + 1) / warmup for t < warmup, so that the first step moves already; then
    base · (1 + cos(π (t - warmup) / (steps - warmup))) / 2.

    References
    ----------
    Goyal et al., Accurate, large minibatch SGD (2017), section 2.2, for the warm-up.
    """

    def __init__(self, optimizer: Optimizer, warmup: int, steps: int) -> None:
        if not 0 <= warmup < steps:
            raise ValueError(f"0 <= warmup < steps is needed, received {warmup} and {steps}")
        self.warmup, self.steps = warmup, steps
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        if step < self.warmup:
            return self.base * (step + 1) / self.warmup
        share = (step - self.warmup) / (self.steps - self.warmup)
        return _cosine(self.base, 0.0, min(share, 1.0))


def _cosine(start: float, final: float, share: float) -> float:
    return final + (start - final) * (1 + math.cos(math.pi * share)) / 2


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise ValueError(f"{name} is at least 1, received {value}")
    return value
