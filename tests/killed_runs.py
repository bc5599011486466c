"""Runs that are ended at any moment and go on until they are done.

    python -m tests.killed_runs 100

Each start of a run is a process of its own. SIGKILL ends it at a random moment, or between a
file that is written and its new name; an alarm, which nobody catches either, ends it within a
write; or SIGINT does, as Ctrl-C sends it. The same command then goes on with the run, until it
ends by itself. Its weights, its history and its checkpoint must
then have the bytes of those of a run that nobody ended, and no temporary file may be left.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nnscratch as nn
from nnscratch.checkpoint import read_arrays
from nnscratch.cli import main as command_line
from nnscratch.files import atomic_write

ENDS = 5  # of a run at most; then it is left to finish
DIGITS = nn.load_dataset("digits")
X, Y = DIGITS.x_train[:300].reshape(-1, 64), DIGITS.y_train[:300]


def by_trainer(folder: Path, every: int | None = None) -> None:
    """Start a run in a folder, or go on with the one that is there."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(1)
    hidden = nn.Linear(64, 16, rng=rng), nn.BatchNorm(16), nn.ReLU(), nn.Dropout(0.2, rng=rng)
    model = nn.Sequential(*hidden, nn.Linear(16, 10, rng=rng))
    optimizer = nn.SGD(model, 0.1, momentum=0.9)
    trainer = nn.Trainer(
        model,
        nn.SoftmaxCrossEntropy(),
        optimizer,
        nn.CosineDecay(optimizer, 40),
        early_stopping=9,
        checkpoint=folder / "checkpoint.npz",
        checkpoint_every=every,
        progress=False,
    )
    if (folder / "checkpoint.npz").exists():
        trainer.resume()
    history = trainer.fit(X, Y, 0.2, epochs=5, batch_size=32, rng=2)
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    nn.save(model, folder / "model.npz")
    history.to_csv(folder / "history.csv")
    with atomic_write(folder / "results.json") as file:
        file.write(b"{}")


def by_command(folder: Path) -> None:
    """The same by the command line."""
    if (folder / "config.json").exists():
        options = ["--resume", str(folder)]
    else:
        options = ["--out", str(folder), "--epochs", "3", "--hidden", "16", "--schedule", "cosine"]
    said = folder.with_suffix(".said")
    with said.open("w") as file, contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        status = command_line(["train", *options])
    if status:
        raise (KeyboardInterrupt if "interrupted" in said.read_text() else RuntimeError)(
            said.read_text()
        )


KINDS: dict[str, Callable[[Path], None]] = {
    "Trainer, a checkpoint in every second step": partial(by_trainer, every=2),
    "Trainer, a checkpoint in every epoch": by_trainer,
    "nnscratch train": by_command,
}


@dataclass(frozen=True)
class Way:
    """How a process is ended: by a signal after some seconds, or in the writing of a file.

    `write` counts the files from 1; `of` is what it is about to do to one: "open" it, or
    "os.rename" it.
    """

    after: float = 0.0
    sign: int = signal.SIGKILL
    write: int = 0
    of: str = ""


class Study:
    """Runs of one kind, compared with one of them that was left alone.

    Attributes
    ----------
    ends : Counter
        By the way in which they were timed.
    halves : int
        How many of them left a temporary file behind.
    """

    def __init__(self, run: Callable[[Path], None], folder: Path, seed: int = 0) -> None:
        self.run, self.folder, self.random = run, folder, random.Random(seed)
        self.ends: Counter[str] = Counter()
        self.halves = self.starts = 0
        self.ways: dict[str, Callable[[], Way]] = {
            "at any moment": lambda: Way(after=self.random.uniform(0, self.seconds)),
            "by Ctrl-C": lambda: Way(
                after=self.random.uniform(0, self.seconds), sign=signal.SIGINT
            ),
            "in a write": lambda: Way(write=self.random.randint(1, 12), of="open"),
            "before a rename": lambda: Way(write=self.random.randint(1, 12), of="os.rename"),
        }
        start = time.perf_counter()
        assert self._start(folder / "unbroken") == 0
        self.seconds = time.perf_counter() - start
        self.expected = contents(folder / "unbroken")

    def one(self, number: int) -> bool:
        """Whether a run that is ended some times finishes as the unbroken one."""
        place = self.folder / f"run{number}"
        for _ in range(self.random.randint(1, ENDS)):
            way = self.random.choice(list(self.ways))
            status = self._start(place, self.ways[way]())
            if status == 0:
                break  # it was faster
            assert status in (-signal.SIGKILL, -signal.SIGALRM, 130), f"{place} failed by itself"
            self.ends[way] += 1
            self.halves += bool(halves(place))
        assert self._start(place) == 0
        same = contents(place) == self.expected and not halves(place)
        if same:
            shutil.rmtree(place)
        return same

    def _start(self, place: Path, way: Way | None = None) -> int:
        """Start a run in a process, and end it; its exit code, negative for a signal."""
        self.starts += 1
        process = os.fork()
        if process == 0:
            if way is not None and way.of:
                end_in_a_file(way)
            os._exit(exit_code(self.run, place))
        if way is not None and not way.of:
            time.sleep(way.after)
            os.kill(process, way.sign)
        _, status = os.waitpid(process, 0)
        return os.waitstatus_to_exitcode(status)


def end_in_a_file(way: Way) -> None:
    """Have this process end soon after a temporary file is opened, or when it is to be renamed."""
    left = way.write

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if event != way.of or not str(arguments[0]).endswith(".tmp"):
            return
        left -= 1
        if left == 0 and event == "open":
            signal.setitimer(signal.ITIMER_REAL, random.Random(way.write).uniform(1e-5, 2e-3))
        elif left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def exit_code(run: Callable[[Path], None], place: Path) -> int:
    """What comes of a run in a process of its own; its errors are written out."""
    try:
        run(place)
    except KeyboardInterrupt:
        return 130
    except BaseException as error:
        print(f"{place.name}: {error!r}", file=sys.stderr, flush=True)
        return 1
    return 0


def halves(place: Path) -> list[str]:
    """The files that are being written, or were when their writer died."""
    try:
        return [path.name for path in place.iterdir() if path.suffix == ".tmp"]
    except FileNotFoundError:
        return []


def contents(place: Path) -> dict[str, bytes]:
    """The bytes of all that a run leaves, but for the seconds that it took."""
    found = {}
    for name in ("model.npz", "checkpoint.npz"):
        for key, array in read_arrays(place / name).items():
            if key != "history/seconds":
                found[f"{name}/{key}"] = array.tobytes()
    history = nn.History.from_csv(place / "history.csv")
    for column in history:
        if column != "seconds":
            found[f"history.csv/{column}"] = repr(history[column]).encode()
    assert (place / "results.json").exists()
    return found


def study(runs: int, kind: str, folder: Path, seed: int = 0) -> tuple[int, str]:
    """(how many of the runs ended as the unbroken one, what was done to them)."""
    made = Study(KINDS[kind], folder, seed)
    equal = sum(made.one(number) for number in range(runs))
    told = ", ".join(f"{count} {way}" for way, count in made.ends.items())
    return equal, (
        f"{kind}: {equal} of {runs} runs equal; {made.starts} starts, "
        f"{made.ends.total()} ended ({told}), of which {made.halves} left a file half written"
    )


def main() -> None:
    # a shell's background jobs ignore Ctrl-C, and so would their children
    signal.signal(signal.SIGINT, signal.default_int_handler)
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for i, kind in enumerate(KINDS):
        with tempfile.TemporaryDirectory() as folder:
            share = runs // 3 + (i < runs % 3)
            print(study(share, kind, Path(folder), seed=i)[1], flush=True)


if __name__ == "__main__":
    main()
