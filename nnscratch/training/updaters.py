"""Who takes the steps: this process, several forked from it, or the ranks of an MPI job."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from nnscratch.training.updater import OneProcess

if TYPE_CHECKING:
    from nnscratch.training.diagnosis.recorder import Recorder
    from nnscratch.training.trainer import Trainer


def updater_for(trainer: Trainer, recorder: Recorder | None) -> Any:
    """That which the trainer's settings ask for; a ValueError where they do not go together."""
    if trainer.communicator is not None:
        from nnscratch.training.ranks import Ranks

        return Ranks(trainer)
    parts = trainer.model, trainer.loss, trainer.optimizer, trainer.clip_norm
    if trainer.workers == 1 or (trainer.workers == "auto" and recorder is not None):
        return OneProcess(*parts, recorder)
    if trainer.workers == "auto":
        from nnscratch.training.choosing import Chosen

        return Chosen(trainer, cores())
    for what in ("diagnose", "metrics"):
        if getattr(trainer, what):
            raise ValueError(f"{what} looks at a single process; leave out workers=")
    from nnscratch.training.data_parallel import DataParallel  # multiprocessing loads slowly

    return DataParallel(int(trainer.workers), *parts)


def cores() -> int:
    """How many processes may compute at once: no more than a product may have threads."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return here
    return min([here, *(pool["num_threads"] for pool in threadpool_info())])
