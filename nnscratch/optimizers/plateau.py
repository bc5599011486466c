"""A schedule that looks at how the run goes: a lower rate where it no longer gets better."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from nnscratch.kinds import checks_kinds, received
from nnscratch.optimizers.base import Optimizer
from nnscratch.optimizers.schedules import Schedule, count, positive

__all__ = ["ReduceOnPlateau"]


class ReduceOnPlateau(Schedule):
    """Multiply the rate by `factor` after more than `patience` epochs without a better value.

    Parameters
    ----------
    optimizer : Optimizer
    metric : str
        The column of the history to look at; a loss is better when lower, all else when higher.
    factor : float in (0, 1)
    patience : int >= 0
    threshold : float >= 0
        A value is better if it is by this share of the best one.

    Notes
    -----
    `Trainer` looks once an epoch; in a loop of one's own, call `step(value)` once an epoch. NaN is
    never better.

    *torch*: equal to torch.optim.lr_scheduler.ReduceLROnPlateau.

    Examples
    --------
    >>> import nnscratch as nn
    >>> optimizer = nn.SGD(nn.Bias(1), 1.0)
    >>> schedule = ReduceOnPlateau(optimizer, patience=1)
    >>> for loss in (5, 4, 4, 4, 4):
    ...     schedule.step(loss)
    >>> optimizer.learning_rate
    0.1
    """

    per_epoch = True

    @checks_kinds
    def __init__(
        self,
        optimizer: Optimizer,
        metric: str = "valid_loss",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
    ) -> None:
        if not isinstance(metric, str):
            raise ValueError(f"ReduceOnPlateau expected metric as a name, received {metric!r}")
        if positive("factor", factor) >= 1:
            raise ValueError(f"ReduceOnPlateau expected factor below 1, received {factor}")
        if not threshold >= 0:
            raise ValueError(f"ReduceOnPlateau expected threshold >= 0, received {threshold}")
        self.metric, self.factor, self.threshold = metric, factor, threshold
        self.patience = count("patience + 1", patience + 1) - 1
        self.lower_is_better = metric.endswith("loss")
        super().__init__(optimizer)
        self.best, self.waited, self.cuts = math.inf if self.lower_is_better else -math.inf, 0, 0

    def rate(self, step: int) -> float:
        """The rate now: it depends on what was seen, not on the step."""
        return self.optimizer.learning_rate

    def step(self, value: float | None = None) -> None:
        """Look at the value of an epoch."""
        if value is None:
            raise ValueError(
                f"ReduceOnPlateau.step expected the {self.metric} of the epoch; call it once an "
                "epoch with that number"
            )
        try:
            value = float(value)
        except (TypeError, ValueError):
            raise ValueError(
                f"ReduceOnPlateau.step expected the {self.metric} as a number, received "
                f"{received(value)}"
            ) from None
        self.steps_taken += 1
        margin = self.threshold * abs(self.best) if math.isfinite(self.best) else 0.0
        gain = self.best - value if self.lower_is_better else value - self.best
        if gain > margin:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.optimizer.learning_rate *= self.factor
            self.waited, self.cuts = 0, self.cuts + 1

    def look(self, values: Mapping[str, float]) -> None:
        """`step` with the metric's value out of those of an epoch."""
        if self.metric not in values:
            raise ValueError(
                f"ReduceOnPlateau looks at {self.metric}, which this run lacks; there are "
                f"{', '.join(values)}"
            )
        self.step(values[self.metric])

    @property
    def settings(self) -> dict[str, Any]:
        return {k: v for k, v in super().settings.items() if k not in ("best", "waited", "cuts")}

    @property
    def progress(self) -> list[float]:
        return [self.steps_taken, self.best, self.waited, self.cuts]

    def restore(self, progress: Any) -> None:
        self.steps_taken, self.best, self.waited, self.cuts = progress
