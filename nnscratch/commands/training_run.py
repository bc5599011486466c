"""A training run: from its settings to the trained model and what was found on the test."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.checkpoint import load, save
from nnscratch.commands.choices import (
    MODELS,
    OPTIMIZERS,
    SCHEDULES,
    defaults_of,
    is_text,
    short_model,
)
from nnscratch.commands.options import with_options
from nnscratch.commands.own_model import build_own
from nnscratch.commands.run_folder import Results, write_results
from nnscratch.commands.settings import Config
from nnscratch.data import Dataset, load_dataset, minibatches, stratified_split
from nnscratch.data.augment import ShiftAndFlip
from nnscratch.data.datasets import is_path
from nnscratch.data.images import subset
from nnscratch.layers import Layer, Normalize, Sequential
from nnscratch.losses import SoftmaxCrossEntropy
from nnscratch.optimizers import Optimizer
from nnscratch.training import Trainer, evaluate
from nnscratch.training.history import History
from nnscratch.training.nonfinite import NotFiniteError
from nnscratch.training.progress import say


class Run:
    """One run: everything that its settings determine.

    Parameters
    ----------
    config : Config

    Attributes
    ----------
    data : Dataset
    model : Layer
    loss : SoftmaxCrossEntropy
    """

    def __init__(self, config: Config) -> None:
        path = is_path(config.data)
        where = Path(config.data) if path else config.data
        self.data: Dataset = load_dataset(where, config.root, label=config.label)
        self.config = config = config.of(self.data)
        if config.validation and not self._held_out:
            raise ValueError(
                f"--validation {config.validation:g} of {len(self.data.y_train)} samples is none "
                "of them; give a larger share, or 0 to validate on none"
            )
        # independent streams, so that another split or model does not shift the others
        seeds = np.random.SeedSequence(config.seed).spawn(3)
        self._split_rng, model_rng, self._order_rng = map(np.random.default_rng, seeds)
        self.model: Layer = build_model(config, model_rng)
        self.loss = SoftmaxCrossEntropy()

    def train(
        self,
        folder: Path,
        resume: bool = False,
        progress: bool = True,
        diagnose: bool = False,
        workers: int | str = 1,
        communicator: Any = None,
    ) -> History:
        """Train, with a checkpoint per epoch, and write the results into the folder."""
        (x, y), validation = self._parts()
        optimizer = self._optimizer()
        steps_per_epoch = math.ceil(len(x) / self.config.batch_size)
        trainer = Trainer(
            self.model,
            self.loss,
            optimizer,
            SCHEDULES[self.config.schedule](optimizer, self.config.epochs, steps_per_epoch),
            clip_norm=self.config.clip_norm,
            early_stopping=self.config.early_stopping,
            checkpoint=folder / "checkpoint.npz",
            progress=progress,
            augment=self._augment(),
            diagnose=diagnose,
            workers=workers,
            communicator=communicator,
        )
        if resume:
            done = trainer.resume()
            self._check_done(done, folder, trainer.leads)
            if done == self.config.epochs and trainer.speaks:
                say(f"all {done} epochs of the run in {folder} are done; --epochs asks for more")
        try:
            history = trainer.fit(
                x, y, validation, self.config.epochs, self.config.batch_size, self._order_rng
            )
        except NotFiniteError as error:
            raise NotFiniteError(with_options(str(error))) from error
        if history.stopped == "interrupted" and len(history):
            trainer.resume()  # the weights of the last finished epoch, which the history ends with
        if len(history) and trainer.leads:
            save(self.model, folder / "model.npz")
            history.to_csv(folder / "history.csv")
            history.plot(folder / "loss.png", title=self.title)
        return history

    def _parts(self) -> tuple[tuple[Any, Any], tuple[Any, Any] | None]:
        """What to train on, and what is held out of it to validate on."""
        x, y = self.data.x_train, self.data.y_train
        if not self._held_out:
            return (x, y), None
        rows, held = stratified_split(y, self._held_out, self._split_rng)
        return (subset(x, rows), y[rows]), (subset(x, held), y[held])

    def _check_done(self, done: int, folder: Path, leads: bool) -> None:
        """Go on only forwards; what was asked for now is what config.json says from now on."""
        if done > self.config.epochs:
            raise ValueError(
                f"the run in {folder} has {done} epochs; --epochs {self.config.epochs} would take "
                "some away: ask for more, or leave it out"
            )
        if leads and self.config != Config.read(folder):
            self.config.write(folder)

    def finish(self, folder: Path, history: History) -> Results:
        """Test the trained model, once, and write what came of it."""
        loss, accuracy = self.test()
        return write_results(folder, loss, accuracy, history)

    def restore(self, folder: str | os.PathLike[str]) -> None:
        """Fill the model from the folder of a run."""
        fill_from(self.model, Path(folder))

    def test(self) -> tuple[float, float]:
        """(loss, accuracy) on the test set."""
        loss, accuracy = evaluate(self.model, self.loss, self.data.x_test, self.data.y_test)
        assert accuracy is not None
        return loss, accuracy

    def scores(self) -> np.ndarray:
        """What the model says of the test set."""
        self.model.eval()
        batches = minibatches(self.data.x_test, self.data.y_test, 512)
        return np.concatenate([self.model.forward(x) for x, _ in batches])

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
    return f"{config.source.name}: {short_model(config.model)}{hidden}"


def build_model(config: Config, rng: np.random.Generator) -> Layer:
    """The network that the settings ask for, untrained; it needs no data to be there."""
    source = config.source
    classes, images = len(source.class_names), len(source.shape) == 3
    for option in ("shift", "flip"):
        if getattr(config, option) and not images:
            raise ValueError(f"--{option} is for images, {source.name} has none; leave it out")
    if config.model == "cnn" and not images:
        raise ValueError(f"--model cnn is for images, {source.name} has none; leave it out")
    if is_text(config.model):
        return build_own(config.model, source, rng)
    model = MODELS[config.model](source.shape, classes, rng, **_taken("model", config))
    return Sequential(Normalize(source.shape[0]), *model.layers) if config.normalize else model


def first_filters(model: Layer, shape: tuple[int, ...]) -> tuple[Layer, Any] | None:
    """The first layer with weights, and as what images they are seen; None if they are none."""
    layer = next((layer for _, layer in model.walk() if "W" in layer.params), None)
    if layer is None or len(shape) != 3:
        return None
    W = layer.params["W"]
    if W.ndim == 4:
        return layer, None
    return (layer, shape) if W.ndim == 2 and W.shape[1] == math.prod(shape) else None


def trained_model(folder: str | os.PathLike[str]) -> tuple[Config, Layer]:
    """The settings of a run and its trained model, ready to evaluate; reads no data."""
    config = Config.read(folder)
    model = build_model(config, np.random.default_rng(config.seed))
    fill_from(model, Path(folder))
    model.eval()
    return config, model


def fill_from(model: Layer, folder: Path) -> None:
    """Fill a model from the folder of a run.

    Raises
    ------
    FileNotFoundError
        The run ended before its first epoch did.
    """
    path = folder / "model.npz"
    if not path.exists():
        raise FileNotFoundError(
            f"the run in {folder} has no trained model: no epoch of it was finished; train it with "
            f"nnscratch train --resume {folder}, or anew"
        )
    load(model, path)
