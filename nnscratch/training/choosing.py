"""workers="auto": how many processes share each minibatch, by trying it on the first one."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING, Any

from nnscratch.training.progress import say
from nnscratch.training.samples import Batch
from nnscratch.training.updater import OneProcess, Step, Updater

if TYPE_CHECKING:
    from nnscratch.training.data_parallel import DataParallel
    from nnscratch.training.trainer import Trainer

BURSTS, SECONDS = 3, 0.08  # of each number of processes; the shortest step counts
WORTH = 0.95  # of the time of one process
SHORT = 2.0  # seconds of a run, in which the trial would gain nothing


class Chosen(Updater):
    """The steps of a run, by as many processes as its first minibatch goes through fastest.

    The trial trains copies of model and optimizer; they leave no trace but the time that it takes.

    Parameters
    ----------
    trainer : Trainer
        Keeps what was chosen, for its next `fit`.
    cores : int
        The processes beside one that are tried.
    """

    def __init__(self, trainer: Trainer, cores: int) -> None:
        self.trainer, self.cores = trainer, cores
        self.updater: OneProcess | DataParallel | None = None

    def step(self, batch: Batch, when: str = "in this step") -> Step:
        """As `train_step`."""
        if self.updater is None:
            trainer = self.trainer
            if trainer.workers_chosen is None:
                trainer.workers_chosen, reason = self._choice(batch)
                if trainer.speaks:
                    say(f"workers: {trainer.workers_chosen}; {reason}")
            self.updater = self._made(trainer.workers_chosen, *self._parts)
        return self.updater.step(batch, when)

    def finish(self) -> None:
        if self.updater is not None:
            self.updater.finish()

    def wait(self) -> None:
        if self.updater is not None:
            self.updater.wait()

    def close(self) -> None:
        if self.updater is not None:
            self.updater.close()

    @property
    def _parts(self) -> tuple[Any, ...]:
        trainer = self.trainer
        return trainer.model, trainer.loss, trainer.optimizer, trainer.clip_norm

    def _choice(self, batch: Batch) -> tuple[int, str]:
        """(how many processes, why)."""
        trainer = self.trainer
        if self.cores == 1:
            return 1, "this process may use one core"
        for what in ("diagnose", "metrics"):
            if getattr(trainer, what):
                return 1, f"{what} looks at a single process"
        alone = self._seconds(1, batch)
        steps = (
            None if trainer.steps_per_epoch is None else trainer.steps_per_epoch * trainer.epochs
        )
        if steps is not None and steps * alone < SHORT:
            return 1, f"the run takes about {steps * alone:.1f} s"
        try:
            together = self._seconds(self.cores, batch)
        except (ValueError, RuntimeError, ImportError) as error:
            return 1, f"{error}"
        times = f"a step takes {1e3 * alone:.2f} ms in one process, {1e3 * together:.2f} ms in "
        times += f"{self.cores}"
        return (self.cores if together < WORTH * alone else 1), times

    def _seconds(self, workers: int, batch: Batch) -> float:
        """A step's time by so many processes, on copies."""
        updater = self._made(workers, *copy.deepcopy(self._parts))
        try:
            updater.step(batch)
            updater.step(batch)
            return min(_burst(updater, batch) for _ in range(BURSTS))
        finally:
            updater.close()

    @staticmethod
    def _made(workers: int, *parts: Any) -> Any:
        if workers == 1:
            return OneProcess(*parts)
        from nnscratch.training.data_parallel import DataParallel  # multiprocessing loads slowly

        return DataParallel(workers, *parts)


def _burst(updater: Any, batch: Batch) -> float:
    """Seconds of a step, from as many as fit into `SECONDS`."""
    steps, start = 0, time.perf_counter()
    while (passed := time.perf_counter() - start) < SECONDS or not steps:
        updater.step(batch)
        steps += 1
    return passed / steps
