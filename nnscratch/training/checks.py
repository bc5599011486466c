"""What is found out before the first epoch: parts that do not fit, and what would fail after it."""

from __future__ import annotations

import operator
import os
from numbers import Real
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.losses import Loss
from nnscratch.optimizers import Optimizer
from nnscratch.optimizers.plateau import ReduceOnPlateau
from nnscratch.optimizers.schedules import Schedule
from nnscratch.training.early_stopping import EarlyStopping
from nnscratch.training.samples import Samples, Stream
from nnscratch.training.state import RunState

if TYPE_CHECKING:
    from nnscratch.training.trainer import Trainer


def check_parts(model: Any, loss: Any, optimizer: Any, schedule: Any) -> None:
    """A ValueError for parts of another kind, or that were not made for each other."""
    for name, part, kind in (
        ("model", model, Layer),
        ("loss", loss, Loss),
        ("optimizer", optimizer, Optimizer),
    ):
        if isinstance(part, type) and issubclass(part, kind):
            raise ValueError(
                f"Trainer expected {name} to be a {kind.__name__}, received the class "
                f"{part.__name__}; make one: {part.__name__}({'model' * (kind is Optimizer)})"
            )
        if not isinstance(part, kind):
            raise ValueError(
                f"Trainer expected {name} to be a {kind.__name__}, received "
                f"{type(part).__name__}; the order is Trainer(model, loss, optimizer)"
            )
    if loss.reduction == "none":
        raise ValueError(f"Trainer needs one number, received {loss}; leave out its reduction")
    if optimizer.model is not model:
        raise ValueError("the optimizer was made for another model; make it with this one")
    if schedule is not None and not isinstance(schedule, Schedule):
        what = f"the class {schedule.__name__}" if isinstance(schedule, type) else repr(schedule)
        raise ValueError(
            f"schedule is one that was made with this optimizer, such as "
            f"nn.CosineDecay(optimizer, steps=1000), received {what}"
        )
    if schedule is not None and schedule.optimizer is not optimizer:
        raise ValueError("the schedule was made for another optimizer; make it with this one")


def check_numbers(clip_norm: Any, workers: Any, checkpoint_every: Any) -> None:
    """A ValueError for settings that are out of range."""
    number = isinstance(clip_norm, Real) and not isinstance(clip_norm, (bool, np.bool))
    if clip_norm is not None and not (number and clip_norm > 0):
        raise ValueError(f"clip_norm is positive or None, received {clip_norm!r}")
    if workers != "auto" and (isinstance(workers, str) or operator.index(workers) < 1):
        raise ValueError(
            f'workers is a number of processes, at least 1, or "auto", received {workers!r}'
        )
    if checkpoint_every is not None and operator.index(checkpoint_every) < 1:
        raise ValueError(f"checkpoint_every is a number of steps, received {checkpoint_every}")


def stopping_rule(early_stopping: Any) -> EarlyStopping | None:
    """The rule that a patience in epochs stands for; a ValueError for what stands for none."""
    if early_stopping is None or isinstance(early_stopping, EarlyStopping):
        return early_stopping
    try:
        if isinstance(early_stopping, (bool, np.bool)):
            raise TypeError
        return EarlyStopping(patience=operator.index(early_stopping))
    except TypeError:
        raise ValueError(
            f"early_stopping is a patience in epochs, such as 5, or an EarlyStopping(...), "
            f"received {early_stopping!r}"
        ) from None


def check_communicator(communicator: Any, workers: int | str, diagnose: bool) -> None:
    """A ValueError for what is no communicator of MPI, or does not go with one."""
    if communicator is None:
        return
    if not all(hasattr(communicator, name) for name in ("Allreduce", "bcast", "Dup", "rank")):
        raise ValueError(
            f"communicator is one of mpi4py, received {type(communicator).__name__}; pass "
            "MPI.COMM_WORLD, after: from mpi4py import MPI"
        )
    if workers not in (1, "auto"):
        raise ValueError("workers share a minibatch on one rank; start more ranks instead")
    if diagnose:
        raise ValueError("diagnose looks at a single process; leave out communicator=")


def check_run(
    trainer: Trainer, samples: Samples | Stream, held_out: Samples | Stream | None
) -> None:
    """Find out before the first epoch what would fail after it."""
    looked_at = [
        rule.metric
        for rule in (trainer.early_stopping, trainer.schedule)
        if isinstance(rule, (EarlyStopping, ReduceOnPlateau))
    ]
    for metric in looked_at:
        if metric.startswith("valid") and held_out is None:
            raise ValueError(f"{metric} is looked at; pass validation=(x, y) to fit")
        if metric.partition("_")[2] not in (known := ["loss", "accuracy", *trainer.metrics]):
            raise ValueError(
                f"{metric} is looked at, of which there is no metric; there are {', '.join(known)}"
            )
    if trainer.average is not None and trainer.average.start > trainer.epochs:
        raise ValueError(
            f"{trainer.average} begins after the last epoch, {trainer.epochs}; begin earlier"
        )
    if trainer.diagnose and any(isinstance(each, Stream) for each in (samples, held_out)):
        raise ValueError(
            "diagnose looks at arrays of samples; leave it out with minibatches, or look at some "
            "of them: fit(*minibatch)"
        )
    if trainer.checkpoint is None and trainer.checkpoint_every is not None:
        raise ValueError("checkpoint_every does nothing without a file: give checkpoint=path too")
    check_columns(trainer, held_out)
    if trainer.leads:
        check_folder(trainer.checkpoint)


def check_columns(trainer: Trainer, held_out: Samples | Stream | None) -> None:
    """A ValueError where a resumed run would record other numbers than it did before."""
    history = trainer.history
    if not len(history):
        return
    validated = any(name.startswith("valid_") for name in history)
    if validated and held_out is None:
        raise ValueError("the run that is resumed was validated; pass validation to fit again")
    if held_out is not None and not validated:
        raise ValueError("the run that is resumed was not validated; leave out validation")
    of_training = {name.partition("_")[2] for name in history if name.startswith("train_")}
    then, now = of_training - {"loss", "accuracy"}, set(trainer.metrics)
    if then != now:
        told = [", ".join(sorted(names)) or "none" for names in (then, now)]
        raise ValueError(
            f"the run that is resumed has the metrics {told[0]}, this trainer {told[1]}; give it "
            "the same ones"
        )


def check_folder(checkpoint: str | os.PathLike[str] | None) -> None:
    """An OSError where a checkpoint could not be written."""
    if checkpoint is None:
        return
    path = Path(checkpoint).resolve()
    if path.is_dir():
        raise IsADirectoryError(f"the checkpoint {path} is a folder; name a file in it")
    folder = path.parent
    if not folder.is_dir():
        raise FileNotFoundError(f"the checkpoint's folder {folder} does not exist")
    if path.exists() and not path.is_file():
        raise OSError(f"the checkpoint {path} is no ordinary file; name another")
    try:  # whatever its permissions say
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise type(error)(
            f"the checkpoint's folder {folder} cannot be written to ({error.strerror})"
        ) from None


def hold_out(
    samples: Samples | Stream, validation: Any, state: RunState
) -> tuple[Samples | Stream, Samples | Stream | None]:
    """(what to train on, what to validate on)."""
    if validation is None or isinstance(validation, (Samples, Stream)):
        return samples, validation
    if isinstance(validation, (tuple, list)):
        if len(validation) not in (2, 3):
            raise ValueError(
                f"validation is (x, y), (x, y, weight) or a share, received a "
                f"{type(validation).__name__} of {len(validation)}"
            )
        weight = validation[2] if len(validation) == 3 else None
        return samples, Samples(validation[0], validation[1], weight, who="validation")
    if not isinstance(validation, (float, np.floating)):
        if callable(validation) or isinstance(samples, Stream):
            return samples, Stream(validation)
        told = repr(validation) if np.isscalar(validation) else type(validation).__name__
        raise ValueError(f"validation is (x, y), or a share such as 0.1, received {told}")
    if isinstance(samples, Stream):
        raise ValueError(
            f"validation={validation} is a share of arrays of samples; beside minibatches pass "
            "(x, y), or minibatches of its own"
        )
    if state.split is None:
        state.split, state.share = int(state.rng.integers(2**63)), float(validation)
    elif state.share not in (None, float(validation)):
        raise ValueError(
            f"the run that is resumed held out validation={state.share:g}, now {validation:g}, of "
            f"samples that it has trained on; go on with validation={state.share:g}"
        )
    return samples.split(float(validation), np.random.default_rng(state.split))
