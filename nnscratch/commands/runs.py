"""A training run as a folder: its settings, its checkpoint, its results.

config.json      what was asked for; enough to build the model again
checkpoint.npz   the state after the last finished epoch, for `--resume`
history.csv      loss and accuracy of every epoch
loss.png         the same as curves
model.npz        the trained model
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.checkpoint import load, save
from nnscratch.data import Dataset, load_dataset, stratified_split
from nnscratch.data.augment import ShiftAndFlip
from nnscratch.data.images import subset
from nnscratch.data.sources import find_source
from nnscratch.files import atomic_write
from nnscratch.layers import ELU, GELU, Layer, LeakyReLU, ReLU, Sequential, Sigmoid, SiLU, Tanh
from nnscratch.losses import SoftmaxCrossEntropy
from nnscratch.models import cnn, mlp
from nnscratch.optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop
from nnscratch.optimizers.schedules import CosineDecay, Schedule, StepDecay
from nnscratch.training import Trainer, evaluate
from nnscratch.training.history import History

ACTIVATIONS: dict[str, type[Layer]] = {
    "relu": ReLU,
    "leaky-relu": LeakyReLU,
    "elu": ELU,
    "gelu": GELU,
    "silu": SiLU,
    "tanh": Tanh,
    "sigmoid": Sigmoid,
}
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
}
WITH_MOMENTUM = ("sgd", "rmsprop")
SCHEDULES = ("constant", "step", "cosine")


@dataclass(frozen=True)
class Config:
    """The settings of a run, as the command line names them; None is the optimizer's default."""

    data: str = "digits"
    root: str | None = None
    model: str = "mlp"
    hidden: tuple[int, ...] = (256, 128)
    activation: str = "relu"
    optimizer: str = "sgd"
    learning_rate: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    dropout: float = 0.0
    schedule: str = "constant"
    epochs: int = 30
    batch_size: int = 32
    validation: float = 0.1
    seed: int = 0
    shift: int = 0
    flip: bool = False

    def write(self, folder: Path) -> None:
        """Write config.json."""
        with atomic_write(folder / "config.json") as file:
            file.write(json.dumps(asdict(self), indent=2).encode() + b"\n")

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Config:
        """Read config.json; ValueError where it is missing or not ours."""
        path = Path(folder, "config.json")
        try:
            values = json.loads(path.read_text("utf-8"))
            values["hidden"] = tuple(values["hidden"])
            return cls(**values)
        except FileNotFoundError:
            raise FileNotFoundError(
                f"{folder} holds no run: {path} is missing; name the --out folder of a run"
            ) from None
        except (ValueError, TypeError, KeyError) as error:
            names = ", ".join(field.name for field in fields(cls))
            raise ValueError(
                f"{path} is not the settings of a run ({error}); it has {names}"
            ) from None


class Run:
    """One run: everything that its settings determine.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    data : Dataset
    model : Sequential
    loss : SoftmaxCrossEntropy
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.data: Dataset = load_dataset(config.data, root=config.root)
        # independent streams, so that another split or model does not shift the others
        seeds = np.random.SeedSequence(config.seed).spawn(3)
        self._split_rng, model_rng, self._order_rng = map(np.random.default_rng, seeds)
        self.model: Sequential = build_model(config, model_rng)
        self.loss = SoftmaxCrossEntropy()

    def train(
        self,
        folder: Path,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = False,
        workers: int = 1,
    ) -> History:
        """Train, with a checkpoint per epoch, and write the results into the folder."""
        x, y = self.data.x_train, self.data.y_train
        validation = None
        if self._held_out:
            rows, held_rows = stratified_split(y, self._held_out, self._split_rng)
            validation = subset(x, held_rows), y[held_rows]
            x, y = subset(x, rows), y[rows]
        optimizer = self._optimizer()
        trainer = Trainer(
            self.model,
            self.loss,
            optimizer,
            self._schedule(optimizer, math.ceil(len(x) / self.config.batch_size)),
            checkpoint=folder / "checkpoint.npz",
            progress=progress,
            augment=self._augment(),
            diagnose=diagnose,
            workers=workers,
        )
        if resume:
            trainer.resume()
        history = trainer.fit(
            x, y, validation, self.config.epochs, self.config.batch_size, self._order_rng
        )
        if history.stopped == "interrupted" and len(history):
            trainer.resume()  # the weights of the last finished epoch, which the history ends with
        if len(history):
            save(self.model, folder / "model.npz")
            history.to_csv(folder / "history.csv")
            history.plot(folder / "loss.png", title=self.title)
        return history

    def restore(self, folder: str | os.PathLike[str]) -> None:
        """Fill the model from the folder of a run."""
        load(self.model, Path(folder, "model.npz"))

    def test(self) -> tuple[float, float]:
        """(loss, accuracy) on the test set."""
        loss, accuracy = evaluate(self.model, self.loss, self.data.x_test, self.data.y_test)
        assert accuracy is not None
        return loss, accuracy

    @property
    def title(self) -> str:
        """What was trained on what, in a few words."""
        return title_of(self.config)

    @property
    def summary(self) -> str:
        """The title, the number of weights, and how many samples each part of the data has."""
        weights = sum(array.size for array in self.model.params.values())
        held_out = self._held_out
        return (
            f"{self.title}, {weights} weights; {len(self.data.y_train) - held_out} samples to "
            f"train on, {held_out} to validate, {len(self.data.y_test)} to test"
        )

    @property
    def _held_out(self) -> int:
        return round(self.config.validation * len(self.data.y_train))

    def _augment(self) -> ShiftAndFlip | None:
        shift, flip = self.config.shift, self.config.flip
        return ShiftAndFlip(shift, flip) if shift or flip else None

    def _optimizer(self) -> Optimizer:
        config = self.config
        chosen: dict[str, Any] = {
            "learning_rate": config.learning_rate,
            "momentum": config.momentum,
            "weight_decay": config.weight_decay,
        }
        if config.optimizer == "sgd" and config.momentum is None:
            chosen["momentum"] = 0.9
        given = {name: value for name, value in chosen.items() if value is not None}
        return OPTIMIZERS[config.optimizer](self.model, **given)

    def _schedule(self, optimizer: Optimizer, steps_per_epoch: int) -> Schedule | None:
        if self.config.schedule == "cosine":
            return CosineDecay(optimizer, self.config.epochs * steps_per_epoch)
        if self.config.schedule == "step":
            return StepDecay(optimizer, max(1, self.config.epochs // 3) * steps_per_epoch)
        return None


def title_of(config: Config) -> str:
    """What is trained on what, in a few words."""
    hidden = f" {'-'.join(map(str, config.hidden))}" if config.model == "mlp" else ""
    return f"{config.data}: {config.model}{hidden}"


def build_model(config: Config, rng: np.random.Generator) -> Sequential:
    """The network that the settings ask for, untrained; it needs no data to be there."""
    source = find_source(config.data)
    classes, images = len(source.class_names), len(source.shape) == 3
    wishes = (
        (config.model == "cnn", "--model cnn"),
        (config.shift, "--shift"),
        (config.flip, "--flip"),
    )
    for wished, option in wishes:
        if wished and not images:
            raise ValueError(f"{option} is for images, {config.data} are points; leave it out")
    if config.model == "cnn":
        return cnn(source.shape, classes, dropout=config.dropout, rng=rng)
    sizes = [math.prod(source.shape), *config.hidden, classes]
    return mlp(sizes, ACTIVATIONS[config.activation], config.dropout, rng)


def trained_model(folder: str | os.PathLike[str]) -> tuple[Config, Sequential]:
    """The settings of a run and its trained model, ready to evaluate; reads no data."""
    config = Config.read(folder)
    model = build_model(config, np.random.default_rng(config.seed))
    load(model, Path(folder, "model.npz"))
    model.eval()
    return config, model


def choose_folder(out: str | None, config: Config) -> Path:
    """The folder of a new run: the one asked for, or the first free one below runs/."""
    if out is not None:
        if Path(out, "checkpoint.npz").exists():
            raise ValueError(
                f"{out} already holds a run; continue it with --resume {out}, "
                "or choose another folder with --out"
            )
        return Path(out)
    name, number = f"{config.data}-{config.model}", 1
    while Path("runs", f"{name}-{number}").exists():
        number += 1
    return Path("runs", f"{name}-{number}")
