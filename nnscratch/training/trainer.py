"""The trainer: a model, a loss and an optimizer, and how they come together over the epochs."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from functools import partial
from typing import Any, Never

import numpy as np

from nnscratch.asking import answers, refuse_keywords
from nnscratch.files import remove_unfinished
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.optimizers.schedules import Schedule, count
from nnscratch.training.augmenting import Augment, Augmenting
from nnscratch.training.averaging import WeightAverage
from nnscratch.training.callbacks import check_callbacks, check_metrics
from nnscratch.training.checks import (
    check_communicator,
    check_numbers,
    check_parts,
    check_run,
    hold_out,
    stopping_rule,
)
from nnscratch.training.diagnosis.diagnosis import Diagnosis, diagnose
from nnscratch.training.diagnosis.recorder import Recorder
from nnscratch.training.early_stopping import EarlyStopping
from nnscratch.training.elsewhere import note_where
from nnscratch.training.history import History
from nnscratch.training.memory import keep_freed_memory
from nnscratch.training.normalizing import fit_normalize
from nnscratch.training.progress import say
from nnscratch.training.run import Run
from nnscratch.training.samples import Samples, Stream, checked_size, samples_for
from nnscratch.training.state import RunState
from nnscratch.training.updaters import updater_for
from nnscratch.words import OF_TRAINERS

__all__ = ["Trainer"]

Metric = Callable[[Any, Any], float]
Callback = Callable[["Trainer", dict[str, float]], Any]


@answers(OF_TRAINERS)
class Trainer:
    """Train a model by minibatches, and record how it went.

    Parameters
    ----------
    model : Layer
    loss : Loss
    optimizer : Optimizer
        Made for this model.
    schedule : Schedule, optional
        Made for this optimizer; steps once per minibatch, a `ReduceOnPlateau` once per epoch.
    clip_norm : float > 0, optional
        The largest norm of all gradients together.
    early_stopping : EarlyStopping or int, optional
        When to end; an int is the patience in epochs. The model then ends with the weights of
        its best epoch, otherwise with the last ones.
    checkpoint : path, optional
        A file to write after every epoch, from which `resume` goes on.
    checkpoint_every : int, optional
        Write it after so many steps as well, so that less than an epoch is ever lost.
    workers : int or "auto"
        Processes that share each minibatch, by default this one alone. With as many as there are
        cores, convolutional nets train faster, and end with the same weights up to rounding;
        small nets may train slower. "auto" tries both on copies, on the first minibatch, and says
        what it chose; short runs are left to one, and so are those in a daemonic process, which may
        start none. Needs the extra `fast` and a system that forks
        processes. A BatchNorm normalizes over the whole minibatch, and a Dropout draws the masks
        that one process would draw; a layer of one's own that does the like has to read `part`.
    communicator : mpi4py.MPI.Comm, optional
        The MPI ranks that share each minibatch, as `mpiexec -n 4 python script.py` starts them
        with `communicator=MPI.COMM_WORLD`; the weights end as on one rank, up to rounding. Every
        rank makes the same trainer and passes the same data to `fit`; the weights, generators and
        checkpoint are rank 0's, which alone writes, shows progress and calls callbacks. An error
        on one rank is written out and ends the job. Needs the extra `mpi`.
    progress : bool
        A progress bar and a line per epoch, on standard error where there is one.
    augment : function (x, rng) -> x or (x, y, rng) -> (x, y), or a list of them, optional
        Changes each batch before it is trained on, such as `nnscratch.data.Rotate(10)` and
        `nnscratch.data.Mixup(0.2, classes=10)`; rng is that of `fit`.
    diagnose : bool
        Look for what is wrong with the run, such as dead ReLUs or vanishing gradients. The
        sentences are said after the run and kept in `history.diagnosis`, with the numbers
        behind them. The weights end as they would have without.
    metrics : dict of name to function (prediction, target) -> float, optional
        Each name gives the columns train_<name>, of the predictions as they were trained on, and
        valid_<name>.
    callbacks : sequence of function (trainer, values), optional
        Called after each epoch with what the history records of it; "stop" ends the run. A
        `Callback` is called at more places. There are `LogLine`, `WeightAverage`,
        `plots.LiveCurves` and `interop.tensorboard.Writer`.

    Raises
    ------
    ValueError
        The parts do not belong together, or data does not fit.
    RuntimeError
        Something became NaN or infinite; names where: a sample, a layer on the way forward or
        back, the loss, the validation.

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
    >>> nn.accuracy(nn.predict(model, digits.x_test), digits.y_test) > 0.95
    True
    """

    @checks_kinds
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
        checkpoint_every: int | None = None,
        workers: int | str = 1,
        communicator: Any = None,
        progress: bool = True,
        augment: Augment = None,
        diagnose: bool = False,
        metrics: Mapping[str, Metric] | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        check_parts(model, loss, optimizer, schedule)
        check_numbers(clip_norm, workers, checkpoint_every)
        check_communicator(communicator, workers, diagnose)
        Augmenting(augment)  # refuses what it cannot call
        check_callbacks(callbacks)
        check_metrics(metrics)
        self.model, self.loss, self.optimizer, self.schedule = model, loss, optimizer, schedule
        self.clip_norm, self.early_stopping = clip_norm, stopping_rule(early_stopping)
        self.checkpoint, self.checkpoint_every = checkpoint, checkpoint_every
        self.workers, self.progress, self.augment = workers, progress, augment
        self.workers_chosen: int | None = None  # by "auto"
        self.communicator = communicator
        self.diagnose = diagnose
        self.diagnosis: Diagnosis | None = None  # of the last fit, also of one that failed
        self.metrics, self.callbacks = dict(metrics or {}), tuple(callbacks)
        # Of the last fit, also while it runs
        self.history, self.epochs = History(), 0
        self.steps_per_epoch: int | None = None  # None where that is not known before
        self._resumed: RunState | None = None

    @checks_kinds
    def fit(
        self,
        x: Any,
        y: Any = None,
        validation: Any = None,
        epochs: int = 10,
        batch_size: int = 128,
        rng: int | np.random.Generator | None = None,
        sample_weight: Any = None,
        **unknown: Never,
    ) -> History:
        """Train for a number of epochs.

        Parameters
        ----------
        x, y : arrays, or tuples of arrays
            Inputs and targets, samples along the first axis; a tuple for several inputs or
            outputs of the model. Without y, x is an iterable of minibatches (x, y), or a
            function that makes one anew for each epoch.
        validation : (x, y), a share of the samples, or None
            Evaluated after every epoch. A share such as 0.1 is held out of the training data,
            of every class its part where the targets are labels.
        epochs : int
            After `resume`: the epochs of the whole run, those before it included.
        batch_size : int
            The last batch of an epoch may be smaller; where the model has a BatchNorm, a last
            single sample joins the batch before it.
        rng : int, numpy.random.Generator or None
            Draws the order of the samples, anew for each epoch.
        sample_weight : array (samples,), optional
            How much each sample counts in the loss.

        Returns
        -------
        history : History
            One entry per finished epoch, and `history.steps["loss"]` with one per step.
            `history.stopped` says how the run ended: "finished", "early stopping", "callback", or
            "interrupted" by Ctrl-C, which ends the run with what it has. The model is then in
            evaluation mode.
        """
        if unknown:
            refuse_keywords(self.fit, unknown)

        def begun() -> tuple[RunState, Samples | Stream, int]:
            count("epochs", epochs)
            state = self._resumed or RunState(History(), np.random.default_rng(rng))
            return state, samples_for(x, y, sample_weight), checked_size(batch_size)

        with self._together(begun, validation, epochs) as (state, samples, size):
            self.history, self.epochs = state.history, epochs
            run, recorder = self._prepared(state, samples, validation, size)
            try:
                with closing(self.updater), run.callbacks.called():
                    for number in run.numbers(epochs):
                        values = run.epoch(number, epochs, self.updater.step)
                        run.end_epoch(number, values, recorder)
                state.history.stopped = run.ended or "finished"
            except RuntimeError as error:
                found = self._diagnosis(recorder, run)
                if found is not None and found.findings:
                    error.args = (f"{error}\n{found}",)
                raise
            except KeyboardInterrupt:
                self._interrupted(state.history)
            finally:
                self.model.eval()
            run.keep_final()
            found = self._diagnosis(recorder, run)
            if found is not None and self.speaks:
                say(str(found))
        return state.history

    def _together(self, begun: Any, validation: Any, epochs: int) -> Any:
        """What `begun` makes, in a `with` by whose end all ranks of a job have ended alike."""
        if self.communicator is None:
            return nullcontext(begun())
        from nnscratch.training import job

        return job.together(self, begun, validation, epochs)

    def _prepared(
        self, state: RunState, samples: Samples | Stream, validation: Any, size: int
    ) -> tuple[Run, Recorder | None]:
        """The run, tried out as far as that is possible before the first epoch."""
        samples, held_out = hold_out(samples, validation, state)
        check_run(self, samples, held_out)
        if self.leads and self.checkpoint is not None:
            remove_unfinished(self.checkpoint)  # of a run that was killed while it wrote
        fit_normalize(self.model, samples, size)
        run = Run(self, state, samples, held_out, size)
        self.steps_per_epoch = run.steps_per_epoch
        if run.validation is not None:
            run.validation.try_out()
        self._resumed = None
        note_where(self, state)
        keep_freed_memory()
        recorder = None
        if self.diagnose and isinstance(samples, Samples):
            recorder = Recorder(self.model, samples.x)
        self.updater = updater_for(self, recorder)
        return run, recorder

    def _interrupted(self, history: History) -> None:
        history.stopped = "interrupted"
        if self.speaks:
            say(f"interrupted in epoch {len(history) + 1}; the epochs before it are kept")

    @checks_kinds
    def resume(self, path: str | os.PathLike[str] | None = None) -> int:
        """Go back to where the checkpoint of an earlier run was written.

        Fills model, optimizer and schedule. `fit` with the data and settings of that run then
        continues it, and ends bit for bit where an unbroken run ends; on other kernels, threads or
        processes, which is said, up to rounding. More epochs than were
        planned keep the last learning rate of a schedule that has come to its end.

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
            The file is missing, damaged, not of such a run, or of one with other settings of
            optimizer, schedule or loss; nothing was changed then.
        """
        path = self.checkpoint if path is None else path
        if path is None:
            raise ValueError("resume needs a path, or a Trainer with checkpoint=path")
        parts = self.model, self.optimizer, self.schedule, self.average, self._options
        read = partial(RunState.read, path, *parts)
        if self.communicator is None:
            self._resumed = read()
        else:  # what rank 0 has read reaches the others in `fit`
            from nnscratch.training import job

            self._resumed = job.first(self.communicator, read)
        return len(self._resumed.history)

    @property
    def average(self) -> WeightAverage | None:
        """The callback that averages the weights, if there is one."""
        return next((each for each in self.callbacks if isinstance(each, WeightAverage)), None)

    @property
    def leads(self) -> bool:
        """Whether this process writes and calls: any but the ranks after rank 0."""
        return self.communicator is None or self.communicator.rank == 0

    @property
    def speaks(self) -> bool:
        """Whether this process shows progress."""
        return self.progress and self.leads

    def save_checkpoint(self, state: RunState) -> None:
        """Write the checkpoint, whole or not at all."""
        assert self.checkpoint is not None
        if self.leads:
            parts = self.model, self.optimizer, self.schedule, self.average, self._options
            state.write(self.checkpoint, *parts)

    @property
    def _options(self) -> dict[str, Any]:
        """What the checkpoint says beside the optimizer's and the schedule's settings."""
        clip_norm = None if self.clip_norm is None else float(self.clip_norm)
        loss = re.sub(r" at 0x[0-9a-f]+", "", repr(self.loss))  # where something lies in memory
        return {"loss": loss, "clip_norm": clip_norm}

    def _diagnosis(self, recorder: Recorder | None, run: Run) -> Diagnosis | None:
        """What is wrong with the run, where that is asked for; kept with its history."""
        if recorder is None or not isinstance(run.samples, Samples):
            return None
        x, y, history = run.samples.x, run.samples.y, run.state.history
        held_out = None if run.validation is None else getattr(run.validation.samples, "x", None)
        self.diagnosis = diagnose(recorder, self.loss, x, y, history, held_out)
        history.diagnosis = self.diagnosis
        return self.diagnosis
