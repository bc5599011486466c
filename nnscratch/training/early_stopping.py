"""Early stopping: when to end a run, and which weights to keep."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nnscratch.kinds import check_kinds

__all__ = ["EarlyStopping"]


@dataclass(frozen=True)
class EarlyStopping:
    """End the run when the validation stops getting better, and keep the best weights.

    Parameters
    ----------
    patience : int >= 1 or None
        End after so many epochs without a better one. None never ends a run early, and still
        keeps the best weights.
    metric : str
        The column of the history to look at: "valid_loss", "valid_accuracy", "valid_f1" for a
        metric f1 of the trainer's, or, without validation, those that begin with `train_`. A
        loss is better when lower, all else when higher; NaN is never better.
    min_delta : float >= 0
        How much better counts as better.

    Raises
    ------
    ValueError
        A setting is out of range.

    References
    ----------
    Prechelt, Early stopping - but when? (1998).

    Examples
    --------
    >>> rule = EarlyStopping(patience=3)
    >>> rule.better(0.5, than=0.6), rule.better(0.7, than=0.6)
    (True, False)
    """

    patience: int | None = 5
    metric: str = "valid_loss"
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        check_kinds(type(self).__init__, "EarlyStopping", (self,), vars(self))
        if self.patience is not None and self.patience < 1:
            raise ValueError(
                f"EarlyStopping: patience is at least 1 epoch, or None, received {self.patience}"
            )
        if not str(self.metric).startswith(("valid_", "train_")):
            raise ValueError(
                f"metric is a column such as valid_loss, valid_accuracy, train_loss or "
                f"train_accuracy, received {self.metric!r}"
            )
        if not self.min_delta >= 0:
            raise ValueError(f"min_delta is at least 0, received {self.min_delta}")

    def better(self, value: float, than: float | None) -> bool:
        """Whether an epoch's value beats the best so far, None before the first."""
        if math.isnan(value):
            return False
        if than is None:
            return True
        gain = than - value if self.metric.endswith("loss") else value - than
        return gain > self.min_delta
