"""Every model, activation and optimizer of `nnscratch train`, with no other option.

    python -m tests.defaults [PART...]

prints a table for each part of the study: the least test accuracy over the seeds, by activation
and optimizer. Where the run itself said that it had come to nothing, a mark stands behind it: ! at
the end no better than guessing, !! and the loss had become constant.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import nnscratch as nn
from nnscratch.cli import main as command_line
from nnscratch.commands.choices import ACTIVATIONS, OPTIMIZERS

SUBSET = "fashion-mnist-6000"  # its first images, for nets that are slow
CHANCE = 0.1  # of the ten classes


@dataclass(frozen=True)
class Part:
    """A table of the study.

    Attributes
    ----------
    options : tuple of str
        What is asked for beside activation, optimizer and seed: the data, the net, and fewer
        epochs than the 30 of the default where that is all there is time for.
    """

    options: tuple[str, ...]
    activations: tuple[str, ...] = tuple(ACTIVATIONS)
    optimizers: tuple[str, ...] = tuple(OPTIMIZERS)
    seeds: int = 1


FASHION = ("--data", "fashion-mnist")
PARTS = {
    "digits": Part((), seeds=3),
    "digits, two layers of 512": Part(("--hidden", "512", "512")),
    "digits, ten layers of 64": Part(("--hidden", *["64"] * 10), seeds=2),
    "digits, cnn": Part(("--model", "cnn"), ("",), seeds=3),
    "fashion-mnist": Part(FASHION, optimizers=("sgd",)),
    "fashion-mnist, 1 epoch": Part((*FASHION, "--epochs", "1"), seeds=1),
    "fashion-mnist, ten layers of 64, 2 epochs": Part(
        (*FASHION, "--epochs", "2", "--hidden", *["64"] * 10), optimizers=("sgd",)
    ),
    "6000 images of fashion-mnist, cnn, 2 epochs": Part(
        ("--data", SUBSET, "--model", "cnn", "--epochs", "2"), ("",)
    ),
}


@dataclass(frozen=True)
class Ended:
    """How a run ended, and what it said of it."""

    train_loss: float
    test_accuracy: float
    status: int
    said: str

    @property
    def mark(self) -> str:
        return "" if not self.said else "!!" if self.status else "!"


def train(options: Sequence[str]) -> Ended:
    """One run, as a user starts it."""
    with tempfile.TemporaryDirectory() as place:
        folder, said = Path(place, "run"), io.StringIO()
        options = [_path(place) if option == SUBSET else option for option in options]
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            status = command_line(["train", *options, "--quiet", "--out", str(folder)])
        lines = said.getvalue().strip().splitlines()
        try:
            accuracy = json.loads((folder / "results.json").read_text())["test_accuracy"]
            loss = nn.History.from_csv(folder / "history.csv")["train_loss"][-1]
        except OSError:  # it ended by an error, which it has said
            return Ended(np.nan, np.nan, status, " ".join(lines))
    return Ended(loss, accuracy, status, " ".join(lines[:-1]))


def _path(place: str) -> str:
    """An .npz of the subset, which is written for this run."""
    data, path = nn.load_dataset("fashion-mnist"), Path(place, f"{SUBSET}.npz")
    parts = {name: getattr(data, name)[:6000] for name in ("x_train", "y_train")}
    parts |= {name: getattr(data, name)[:2000] for name in ("x_test", "y_test")}
    np.savez(path, **{name: np.asarray(array) for name, array in parts.items()})
    return str(path)


def table(part: Part) -> tuple[str, list[Ended]]:
    """The part's table, and how all of its runs ended."""
    width = max(map(len, part.activations))
    lines = [" " * width + "".join(f"{name:>11}" for name in part.optimizers)]
    every: list[Ended] = []
    for activation in part.activations:
        line = f"{activation:{width}}"
        for optimizer in part.optimizers:
            given = [
                "--optimizer",
                optimizer,
                *(["--activation", activation] if activation else []),
            ]
            ended = [
                train([*part.options, *given, "--seed", str(seed)]) for seed in range(part.seeds)
            ]
            least = min(ended, key=lambda one: np.nan_to_num(one.test_accuracy, nan=-1))
            line += f"{least.test_accuracy:9.3f}{least.mark:2}"
            every += ended
        lines.append(line.rstrip())
    return "\n".join(lines), every


def main(names: Sequence[str]) -> None:
    for name, part in PARTS.items():
        if names and name not in names:
            continue
        start = time.process_time()
        told, ended = table(part)
        worst = max(one.train_loss for one in ended)
        silent = sum(one.test_accuracy < 2 * CHANCE and not one.said for one in ended)
        print(f"{name}; seeds: {part.seeds}\n{told}")
        print(
            f"{len(ended)} runs: {sum(one.mark == '!' for one in ended)} ended as guessing, "
            f"{sum(one.mark == '!!' for one in ended)} with a constant loss, {silent} at less than "
            f"{2 * CHANCE:g} without a word; largest loss at the end {worst:.3f}; "
            f"{time.process_time() - start:.0f} s\n",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
