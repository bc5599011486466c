"""The training loop: minibatch, forward, loss, backward, step; and once more."""

from __future__ import annotations

import operator
import os
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.checkpoint import model_arrays
from nnscratch.data import minibatches
from nnscratch.data.images import samples_of
from nnscratch.layers import BatchNorm
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.optimizers.schedules import Schedule
from nnscratch.training.diagnosis.diagnosis import Diagnosis, diagnose
from nnscratch.training.diagnosis.recorder import Recorder
from nnscratch.training.early_stopping import EarlyStopping
from nnscratch.training.evaluation import Totals, evaluate, explain_nonfinite, modes_kept
from nnscratch.training.history import History
from nnscratch.training.memory import keep_freed_memory
from nnscratch.training.progress import EpochBar, say
from nnscratch.training.state import RunState
from nnscratch.training.updater import Steps

__all__ = ["Trainer"]

if TYPE_CHECKING:
    from nnscratch.training.data_parallel import Team


class Trainer:
    """Train a model by minibatches, and record how it went.

    Parameters
    ----------
    model : Layer
    loss : Loss
    optimizer : Optimizer
        Made for this model.
    schedule : Schedule, optional
        Made for this optimizer; steps once per minibatch.
    clip_norm : float > 0, optional
        The largest norm of all gradients together.
    early_stopping : EarlyStopping or int, optional
        When to end; an int is the patience in epochs. The model then ends with the weights of
        its best epoch, otherwise with the last ones.
    checkpoint : path, optional
        A file to write after every epoch, from which `resume` goes on.
    workers : int
        Processes that share each minibatch, by default this one alone. With as many as there are
        cores, convolutional nets train faster, and end with the same weights up to rounding;
        small nets without convolutions train slower. Needs the extra `fast`, a system that
        forks processes, and a model whose samples do not depend on each other (no BatchNorm in
        it, no Dropout).
    progress : bool
        A progress bar and a line per epoch, on standard error.
    augment : function (x, rng) -> x, optional
        Changes the inputs of each batch before they are trained on, such as
        `nnscratch.data.augment.ShiftAndFlip`; rng is that of `fit`.
    diagnose : bool
        Look for what is wrong with the run, such as dead ReLUs or vanishing gradients. The
        sentences are said after the run and kept in `history.diagnosis`, with the numbers
        behind them. The weights end as they would have without.

    Raises
    ------
    ValueError
        The parts do not belong together, or data does not fit.
    RuntimeError
        The loss became NaN or infinite; names the first layer whose output is.

    Examples
    --------
    >>> import nnscratch as nn
    >>> digits = nn.load_dataset("digits")
    >>> rng = np.random.default_rng(0)
    >>> model = nn.Sequential(
    ...     nn.Flatten(), nn.Linear(64, 32, rng=rng), nn.ReLU(), nn.Linear(32, 10, rng=rng)
    ... )
    >>> optimizer = nn.SGD(model, learning_rate=0.1, momentum=0.9)
    >>> trainer = Trainer(model, nn.SoftmaxCrossEntropy(), optimizer, progress=False)
    >>> history = trainer.fit(digits.x_train, digits.y_train, epochs=20, rng=rng)
    >>> history["train_loss"][-1] < 0.1
    True
    >>> nn.accuracy(model.eval().forward(digits.x_test), digits.y_test) > 0.95
    True
    """

    def __init__(
        self,
        model: Layer,
        loss: Loss,
        optimizer: Optimizer,
        schedule: Schedule | None = None,
        *,
        clip_norm: float | None = None,
        early_stopping: EarlyStopping | int | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        workers: int = 1,
        progress: bool = True,
        augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None,
        diagnose: bool = False,
    ) -> None:
        if optimizer.model is not model:
            raise ValueError("the optimizer was made for another model; make it with this one")
        if schedule is not None and schedule.optimizer is not optimizer:
            raise ValueError("the schedule was made for another optimizer; make it with this one")
        if clip_norm is not None and not clip_norm > 0:
            raise ValueError(f"clip_norm is positive or None, received {clip_norm}")
        if operator.index(workers) < 1:
            raise ValueError(f"workers is a number of processes, at least 1, received {workers}")
        if isinstance(early_stopping, int):
            early_stopping = EarlyStopping(patience=early_stopping)
        self.model, self.loss, self.optimizer, self.schedule = model, loss, optimizer, schedule
        self.clip_norm = clip_norm
        self.early_stopping = early_stopping
        self.checkpoint = checkpoint
        self.workers = workers
        self.progress = progress
        self.augment = augment
        self.diagnose = diagnose
        self.diagnosis: Diagnosis | None = None  # of the last fit, also of one that failed
        self._recorder: Recorder | None = None
        self._resumed: RunState | None = None

    def fit(
        self,
        x: Any,
        y: Any,
        validation: tuple[Any, Any] | None = None,
        epochs: int = 10,
        batch_size: int = 128,
        rng: int | np.random.Generator | None = None,
    ) -> History:
        """Train for a number of epochs.

        Parameters
        ----------
        x, y : arrays
            Inputs and targets, samples along the first axis.
        validation : (x, y), optional
            Evaluated after every epoch.
        epochs : int
            After `resume`: the epochs of the whole run, those before it included.
        batch_size : int
            The last batch of an epoch may be smaller; where the model has a BatchNorm, a last
            single sample joins the batch before it.
        rng : int, numpy.random.Generator or None
            Draws the order of the samples, anew for each epoch.

        Returns
        -------
        history : History
            One entry per finished epoch. `history.stopped` says how the run ended: "finished",
            "early stopping", or "interrupted" by Ctrl-C, which ends the run with what it has.
        """
        x, y = samples_of(x), np.asarray(y)
        if len(x) == 0:
            raise ValueError("there is no sample to train on; x is empty")
        self._check_settings(validation)
        keep_freed_memory()
        run = self._resumed or RunState(History(), np.random.default_rng(rng))
        self._resumed = None
        self._recorder = Recorder(self.model, x) if self.diagnose else None
        self._steps = self._make_steps()
        try:
            with modes_kept(self.model), closing(self._steps):
                run.history.stopped = self._run(run, x, y, validation, epochs, batch_size)
        except RuntimeError as error:
            diagnosis = self._diagnosis(run.history, x, y, validation)
            if diagnosis is not None and diagnosis.findings:
                error.args = (f"{error}\n{diagnosis}",)
            raise
        except KeyboardInterrupt:
            run.history.stopped = "interrupted"
            if self.progress:
                say(f"interrupted in epoch {len(run.history) + 1}; the epochs before it are kept")
        if self.early_stopping is not None and run.best_arrays:
            for name, array in model_arrays(self.model).items():
                array[...] = run.best_arrays[name]
        diagnosis = self._diagnosis(run.history, x, y, validation)
        if diagnosis is not None and self.progress:
            say(str(diagnosis))
        return run.history

    def resume(self, path: str | os.PathLike[str] | None = None) -> int:
        """Go back to the end of the last finished epoch of an earlier run.

        Fills model, optimizer and schedule from a checkpoint. `fit` with the settings of that
        run then continues it, and ends bit for bit where an unbroken run ends.

        Parameters
        ----------
        path : path
            `checkpoint` unless given.

        Returns
        -------
        epochs : int
            How many epochs are done.

        Raises
        ------
        OSError, ValueError
            The file is missing, damaged, or not of such a run; nothing was changed then.
        """
        path = self.checkpoint if path is None else path
        if path is None:
            raise ValueError("resume needs a path, or a Trainer with checkpoint=path")
        self._resumed = RunState.read(path, self.model, self.optimizer, self.schedule)
        return len(self._resumed.history)

    def _make_steps(self) -> Steps | Team:
        if self.workers == 1:
            return Steps(self.model, self.loss, self.optimizer, self.clip_norm, self._recorder)
        if self.diagnose:
            raise ValueError("diagnose watches the steps of a single process; leave out workers=")
        from nnscratch.training.data_parallel import Team  # multiprocessing takes a while to load

        return Team(self.workers, self.model, self.loss, self.optimizer, self.clip_norm)

    def _check_settings(self, validation: tuple[Any, Any] | None) -> None:
        """Find out before the first epoch what would fail after it."""
        rule = self.early_stopping
        if rule is not None and rule.metric.startswith("valid") and validation is None:
            raise ValueError(
                f"early stopping looks at {rule.metric}; pass validation=(x, y) to fit"
            )
        if self.checkpoint is not None:
            folder = Path(self.checkpoint).resolve().parent
            if not folder.is_dir():
                raise FileNotFoundError(f"the checkpoint's folder {folder} does not exist")

    def _run(
        self,
        run: RunState,
        x: np.ndarray,
        y: np.ndarray,
        validation: tuple[Any, Any] | None,
        epochs: int,
        batch_size: int,
    ) -> str:
        """Train epoch by epoch; the reason why it ended."""
        rule = self.early_stopping
        for epoch in range(len(run.history) + 1, epochs + 1):
            if rule is not None and rule.patience is not None and run.best_epoch:
                waited = epoch - 1 - run.best_epoch
                if waited >= rule.patience:
                    return "early stopping"
            bar = EpochBar(epoch, epochs, len(x), self.progress)
            try:
                values = self._epoch(bar, x, y, validation, epoch, batch_size, run.rng)
            finally:
                bar.close()
            run.history.append(**values)
            if self._recorder is not None:
                self._recorder.end_epoch()
            bar.report(values)
            if rule is not None:
                if rule.metric not in values:
                    raise ValueError(
                        f"early stopping looks at {rule.metric}, which this loss lacks"
                    )
                if rule.better(values[rule.metric], run.best_value):
                    run.best_value, run.best_epoch = values[rule.metric], epoch
                    arrays = model_arrays(self.model)
                    run.best_arrays = {name: array.copy() for name, array in arrays.items()}
            if self.checkpoint is not None:
                run.write(self.checkpoint, self.model, self.optimizer, self.schedule)
        return "finished"

    def _epoch(
        self,
        bar: EpochBar,
        x: np.ndarray,
        y: np.ndarray,
        validation: tuple[Any, Any] | None,
        epoch: int,
        batch_size: int,
        rng: np.random.Generator,
    ) -> dict[str, float]:
        """One pass over the data: what the history records of it."""
        start = time.perf_counter()
        totals = Totals()
        self.model.train()
        join = any(isinstance(layer, BatchNorm) for _, layer in self.model.walk())
        batches = minibatches(x, y, batch_size, rng, join_single=join)
        with np.errstate(over="ignore", invalid="ignore"):  # found and explained by the step
            for step, (x_batch, y_batch) in enumerate(batches, 1):
                learning_rate = self.optimizer.learning_rate
                if self.augment is not None:
                    x_batch = self.augment(x_batch, rng)
                self._steps.step(x_batch, y_batch, totals, f"epoch {epoch}, step {step}")
                if self.schedule is not None:
                    self.schedule.step()
                bar.advance(len(x_batch), totals.means)
            self._steps.finish()
            self._check_weights(x_batch, f"after epoch {epoch}")
            columns = {"train": totals.means()}
            if validation is not None:
                columns["valid"] = evaluate(self.model, self.loss, *validation)
        values = {}
        for part, (loss, accuracy) in columns.items():
            values[f"{part}_loss"] = loss
            if accuracy is not None:
                values[f"{part}_accuracy"] = accuracy
        values["learning_rate"] = learning_rate
        values["seconds"] = time.perf_counter() - start
        return values

    def _diagnosis(self, history: History, x: Any, y: Any, validation: Any) -> Diagnosis | None:
        """What is wrong with the run, where that is asked for; kept with its history."""
        if self._recorder is None:
            return None
        held_out = 0 if validation is None else len(validation[0])
        self.diagnosis = diagnose(self._recorder, self.loss, x, y, history, held_out)
        history.diagnosis, self._recorder = self.diagnosis, None
        return self.diagnosis

    def _check_weights(self, x: np.ndarray, when: str) -> None:
        """The last step of an epoch may have ruined the weights with no forward pass to tell."""
        for vector in self.optimizer.params.vectors.values():
            if not np.isfinite(vector).all():
                when = f"{when}: the weights are not finite"
                explain_nonfinite(self.model, x, when, self.optimizer.learning_rate)
