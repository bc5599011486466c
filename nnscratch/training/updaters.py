"""Who takes the steps: this process, several forked from it, or the ranks of an MPI job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nnscratch.training.updater import OneProcess

if TYPE_CHECKING:
    from nnscratch.training.data_parallel import DataParallel
    from nnscratch.training.diagnosis.recorder import Recorder
    from nnscratch.training.ranks import Ranks
    from nnscratch.training.trainer import Trainer


def updater_for(trainer: Trainer, recorder: Recorder | None) -> OneProcess | DataParallel | Ranks:
    """That which the trainer's settings ask for; a ValueError where they do not go together."""
    if trainer.communicator is not None:
        from nnscratch.training.ranks import Ranks

        return Ranks(trainer)
    parts = trainer.model, trainer.loss, trainer.optimizer, trainer.clip_norm
    if trainer.workers == 1:
        return OneProcess(*parts, recorder)
    for what in ("diagnose", "metrics"):
        if getattr(trainer, what):
            raise ValueError(f"{what} looks at a single process; leave out workers=")
    from nnscratch.training.data_parallel import DataParallel  # multiprocessing loads slowly

    return DataParallel(trainer.workers, *parts)
