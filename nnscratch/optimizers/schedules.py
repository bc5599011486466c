"""What a schedule is: the learning rate over the steps of a training run.

A schedule takes the optimizer's learning rate at its making as the base rate, and sets
`optimizer.learning_rate` for the step that comes next: once when it is made, and again at every
`.step()`, which follows the optimizer's step. `Trainer` calls it after every minibatch, so
`steps`, `warmup` and `every` count minibatches there; in a loop of one's own they count whatever
one calls it after.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from operator import index
from typing import Any

from nnscratch.asking import answers
from nnscratch.kinds import checks_kinds
from nnscratch.optimizers.base import Optimizer
from nnscratch.words import OF_SCHEDULES

__all__ = ["Custom"]


@answers(OF_SCHEDULES)
class Schedule:
    """What all schedules share: counting steps and setting the rate.

    Attributes
    ----------
    base : float
        The optimizer's learning rate when the schedule was made.
    steps_taken : int
    """

    planned: int | None = None  # after how many steps the rate is meant to stay as it is
    per_epoch = False  # whether the trainer steps once an epoch instead of once a minibatch

    @checks_kinds
    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise ValueError(
                f"{type(self).__name__} expected an optimizer, received "
                f"{type(optimizer).__name__}; make it after the optimizer, for this one"
            )
        self.optimizer = optimizer
        self.base = optimizer.learning_rate
        self.go_to(0)

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        raise NotImplementedError

    def step(self) -> None:
        """Set the optimizer's learning rate for the next step."""
        self.go_to(self.steps_taken + 1)

    @property
    def settings(self) -> dict[str, Any]:
        """The numbers that it was made with, by which a resumed run knows its own schedule."""
        left_out = ("optimizer", "steps_taken", "planned")
        return {name: value for name, value in vars(self).items() if name not in left_out}

    @property
    def progress(self) -> Any:
        """How far it is, for a checkpoint."""
        return self.steps_taken

    def restore(self, progress: Any) -> None:
        """Go on from there."""
        self.go_to(progress)

    def go_to(self, step: int) -> None:
        """Stand before the given step, as `resume` needs."""
        rate = self.rate(step)
        if not 0 <= rate < math.inf:
            raise ValueError(
                f"{type(self).__name__} expected rates of at least 0, its rate of step {step} is "
                f"{rate!r}"
            )
        self.steps_taken = step
        self.optimizer.learning_rate = rate


class Custom(Schedule):
    """Whatever a function of the step says.

    Parameters
    ----------
    optimizer : Optimizer
    function : function of int -> float
        The factor of the base rate at each step, counted from 0.

    Examples
    --------
    >>> import nnscratch as nn
    >>> schedule = Custom(nn.SGD(nn.Bias(1), 8.0), lambda step: 1 / (step + 1))
    >>> [schedule.rate(step) for step in range(4)]
    [8.0, 4.0, 2.6666666666666665, 2.0]
    """

    @checks_kinds
    def __init__(self, optimizer: Optimizer, function: Callable[[int], float]) -> None:
        if not callable(function):
            raise ValueError(f"Custom expected a function of the step, received {function!r}")
        self.function = function
        super().__init__(optimizer)

    def rate(self, step: int) -> float:
        return self.base * self.function(step)


def cosine(start: float, final: float, share: float) -> float:
    """Half a cosine from start at share 0 to final at share 1."""
    return final + (start - final) * (1 + math.cos(math.pi * share)) / 2


def count(name: str, value: Any) -> int:
    """A whole number of steps, at least 1."""
    try:
        number = 0 if isinstance(value, bool) else index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise ValueError(f"{name} is a whole number of at least 1, received {value!r}")
    return number


def not_negative(name: str, value: Any) -> float:
    if isinstance(value, (str, bool)) or value is None or not 0 <= float(value) < math.inf:
        raise ValueError(f"{name} is a number of at least 0, received {value!r}")
    return float(value)


def positive(name: str, value: Any) -> float:
    try:
        number = math.nan if isinstance(value, (str, bool)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 < number < math.inf:
        raise ValueError(f"{name} is a positive number, received {value!r}")
    return number
