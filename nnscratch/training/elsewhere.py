"""A run that goes on elsewhere: on other kernels, threads or processes than it was begun with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnscratch.machine import differences, order_of_sums
from nnscratch.training.progress import say

if TYPE_CHECKING:
    from nnscratch.training.state import RunState
    from nnscratch.training.trainer import Trainer


def note_where(trainer: Trainer, state: RunState) -> None:
    """Keep in a run's state on what it is computed, and say where that is something else now."""
    if trainer.checkpoint is None and not state.computed_on:
        return
    ranks = trainer.communicator
    now = order_of_sums(trainer.workers if ranks is None else ranks.size)
    if state.computed_on:
        other = differences(state.computed_on[-1], now)
        if other and trainer.speaks:
            say(
                f"the run goes on with other sums ({'; '.join(other)}), and need not end bit for "
                "bit where an unbroken one ends"
            )
    if now not in state.computed_on[-1:]:
        state.computed_on.append(now)
