"""A training run as a folder: its settings, its checkpoint, its results.

config.json      what was asked for; enough to build the model again
checkpoint.npz   the state after the last finished epoch, for `--resume`
history.csv      loss and accuracy of every epoch
loss.png         the same as curves
model.npz        the trained model
"""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.checkpoint import load, save
from nnscratch.commands.choices import MODELS, OPTIMIZERS, SCHEDULES, defaults_of
from nnscratch.commands.settings import Config
from nnscratch.data import Dataset, load_dataset, stratified_split
from nnscratch.data.augment import ShiftAndFlip
from nnscratch.data.datasets import is_path
from nnscratch.data.images import subset
from nnscratch.layers import Sequential
from nnscratch.losses import SoftmaxCrossEntropy
from nnscratch.optimizers import Optimizer
from nnscratch.training import Trainer, evaluate
from nnscratch.training.history import History


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
        path = is_path(config.data)
        where = Path(config.data) if path else config.data
        self.data: Dataset = load_dataset(where, config.root, label=config.label)
        self.config = config = config.of(self.data)
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
        steps_per_epoch = math.ceil(len(x) / self.config.batch_size)
        trainer = Trainer(
            self.model,
            self.loss,
            optimizer,
            SCHEDULES[self.config.schedule](optimizer, self.config.epochs, steps_per_epoch),
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
        given = _taken("optimizer", config)
        return OPTIMIZERS[config.optimizer](self.model, **given)


def _taken(kind: str, config: Config) -> dict[str, Any]:
    """The settings that the chosen model or optimizer takes."""
    taken = defaults_of(kind, getattr(config, kind))
    return {name: getattr(config, name) for name in taken if hasattr(config, name)}


def title_of(config: Config) -> str:
    """What is trained on what, in a few words."""
    hidden = f" {'-'.join(map(str, config.hidden))}" if config.hidden else ""
    return f"{config.source.name}: {config.model}{hidden}"


def build_model(config: Config, rng: np.random.Generator) -> Sequential:
    """The network that the settings ask for, untrained; it needs no data to be there."""
    source = config.source
    classes, images = len(source.class_names), len(source.shape) == 3
    for option in ("shift", "flip"):
        if getattr(config, option) and not images:
            raise ValueError(f"--{option} is for images, {source.name} has none; leave it out")
    if config.model == "cnn" and not images:
        raise ValueError(f"--model cnn is for images, {source.name} has none; leave it out")
    return MODELS[config.model](source.shape, classes, rng, **_taken("model", config))


def trained_model(folder: str | os.PathLike[str]) -> tuple[Config, Sequential]:
    """The settings of a run and its trained model, ready to evaluate; reads no data."""
    config = Config.read(folder)
    model = build_model(config, np.random.default_rng(config.seed))
    load(model, Path(folder, "model.npz"))
    model.eval()
    return config, model


def claim_folder(out: str | None, config: Config) -> Path:
    """Make the folder of a new run: the one asked for, or the first free one below runs/.

    What exists is never taken: of two runs that are started at once each gets its own.

    Raises
    ------
    ValueError
        The folder asked for holds a run.
    """
    if out is not None:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            (folder / "config.json").touch(exist_ok=False)
        except FileExistsError:
            raise ValueError(
                f"{out} already holds a run; continue it with --resume {out}, "
                "or choose another folder with --out"
            ) from None
    else:
        folder = _next_folder(f"{_plain(config.source.name)}-{config.model}")
    config.write(folder)
    return folder


def _plain(name: str) -> str:
    """A name of somebody's without what a shell or a file system would stumble over."""
    return re.sub(r"[^\w.-]+", "_", name).strip(".-_")[:64] or "data"


def _next_folder(name: str) -> Path:
    Path("runs").mkdir(exist_ok=True)
    number = 1
    while True:
        folder = Path("runs", f"{name}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder
