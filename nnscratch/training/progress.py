"""What a user sees while a model trains: a bar that moves, and one line per finished epoch."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any


class EpochBar:
    """The bar of one epoch, with the loss and accuracy so far; gone when the epoch ends.

    It shows only on a terminal; the line of `report` is printed anywhere.

    Parameters
    ----------
    epoch, epochs : int
    samples : int or None
        How many there are, where that is known.
    shown : bool
        Shown all the same only where there is a standard error.
    """

    def __init__(self, epoch: int, epochs: int, samples: int | None, shown: bool) -> None:
        from tqdm import tqdm  # not needed to import nnscratch

        self._epoch = f"epoch {epoch:{len(str(epochs))}}/{epochs}"
        self._shown = shown = shown and _can_be_written()
        self._next_figures = 0.0
        self._bar: Any = tqdm(disable=True)
        with suppress(OSError):  # nobody is there to read it; that is no reason not to train
            self._bar = tqdm(
                total=samples,
                desc=self._epoch,
                unit=" samples",
                unit_scale=True,
                leave=False,
                dynamic_ncols=True,
                disable=None if shown else True,
            )

    @property
    def shown(self) -> bool:
        """Whether there is a bar."""
        return not self._bar.disable

    def advance(self, samples: int, figures: Any) -> None:
        """Move on by a batch; `figures()` gives the means so far, asked ten times a second."""
        now = time.perf_counter()
        if now >= self._next_figures:
            self._next_figures = now + 0.1
            loss, accuracy = figures()
            self._bar.set_postfix_str(_figures("", loss, accuracy), refresh=False)
        try:
            self._bar.update(samples)
        except OSError:
            self._bar.disable = True

    def close(self) -> None:
        with suppress(OSError):
            self._bar.close()

    def report(self, values: dict[str, float]) -> None:
        """The line that stays: the figures of the finished epoch."""
        if not self._shown:
            return
        parts = [self._epoch, _figures("", values["train_loss"], values.get("train_accuracy"))]
        if "valid_loss" in values:
            parts.append(_figures("valid ", values["valid_loss"], values.get("valid_accuracy")))
        say("  ".join([*parts, f"{values['seconds']:.2f} s"]))


def say(line: str) -> None:
    """One line for the user, on standard error, above a bar that may be there."""
    if not _can_be_written():
        return
    from tqdm import tqdm

    with suppress(OSError):
        tqdm.write(line, file=sys.stderr)


def _can_be_written() -> bool:
    """Whether there is a standard error; what an editor puts in its place may lack `closed`."""
    return sys.stderr is not None and not getattr(sys.stderr, "closed", False)


def _figures(prefix: str, loss: float, accuracy: float | None) -> str:
    text = f"{prefix}loss {loss:.4f}"
    return text if accuracy is None else f"{text}  {prefix}accuracy {accuracy:.4f}"
