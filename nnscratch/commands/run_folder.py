"""The folder of a run: claimed for one run alone, written to, and read again.

config.json      what was asked for; enough to build the model again; on what it was computed
checkpoint.npz   the state after the last finished epoch, for `--resume`
history.csv      loss and accuracy of every epoch
loss.png         the same as curves
model.npz        the trained model
results.json     the test's accuracy and loss, epochs and seconds; there once the run is finished
"""

from __future__ import annotations

import itertools
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from nnscratch.commands.choices import kind_of_model
from nnscratch.commands.settings import Config, refuse_empty
from nnscratch.files import atomic_write, read_text
from nnscratch.training.history import History

MOST = 1 << 20  # bytes of results.json
MEASURES = ("test_accuracy", "test_loss", "epochs", "seconds")


@dataclass(frozen=True)
class Results:
    """What came of a run that is finished."""

    test_accuracy: float
    test_loss: float
    epochs: int
    seconds: float


@dataclass(frozen=True)
class Summary:
    """A run as a line of a table; measures that are not known are NaN."""

    folder: Path
    config: Config
    valid_accuracy: float
    results: Results | None

    @property
    def order(self) -> tuple[float, float]:
        """The best first; unfinished runs last."""
        tested = self.results.test_accuracy if self.results else math.nan
        found = self.valid_accuracy if self.results else math.nan
        return _descending(found), _descending(tested)


def _descending(measure: float) -> float:
    """What sorts the largest first, and what is not known last."""
    return math.inf if math.isnan(measure) else -measure


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
            config.write(folder, new=True)
        except FileExistsError:
            refuse_empty(folder / "config.json")
            raise ValueError(
                f"{out} already holds a run; continue it with --resume {out}, "
                "or choose another folder with --out"
            ) from None
        return folder
    return _next_folder(f"{_plain(config.source.name)}-{kind_of_model(config.model)}", config)


def write_results(folder: Path, loss: float, accuracy: float, history: History) -> Results:
    """Write results.json."""
    results = Results(accuracy, loss, len(history), sum(history["seconds"]))
    with atomic_write(folder / "results.json") as file:
        file.write(json.dumps(vars(results), indent=2).encode() + b"\n")
    return results


def read_results(folder: Path) -> Results | None:
    """The results of a run, None where it is not finished; ValueError where they are none."""
    path = folder / "results.json"
    if not path.exists():
        return None
    try:
        values = json.loads(read_text(path, MOST))
        found = [values[name] for name in MEASURES]
    except (ValueError, KeyError, TypeError, RecursionError):
        found = []
    if not found or not all(type(value) in (int, float) for value in found):
        raise ValueError(f"{path} is not the results of a run; it has {', '.join(MEASURES)}")
    return Results(*found)


def summary_of(folder: Path) -> Summary:
    """What there is to say of a run, finished or not."""
    config, path = Config.read(folder), folder / "history.csv"
    accuracy = math.nan
    if path.exists():
        history = History.from_csv(path)
        if "valid_accuracy" in history and len(history):
            accuracy = history["valid_accuracy"][kept_epoch(history, config)]
    return Summary(folder, config, accuracy, read_results(folder))


def kept_epoch(history: History, config: Config) -> int:
    """The epoch, counted from 0, whose weights the model has."""
    if config.early_stopping is None:
        return len(history) - 1
    losses = history["valid_loss"]
    return losses.index(min(losses))


def _plain(name: str) -> str:
    """A name of somebody's without what a shell or a file system would stumble over."""
    return re.sub(r"[^\w.-]+", "_", name).strip(".-_")[:64] or "data"


def _next_folder(name: str, config: Config) -> Path:
    """The first of runs/NAME-1, -2, ... that is free, or empty, as a killed run may leave it."""
    for number in itertools.count(1):
        folder = Path("runs", f"{name}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        if any(not path.name.endswith(".tmp") for path in folder.iterdir()):
            continue
        try:
            config.write(folder, new=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("there is no end of numbers")
