"""What can be drawn as curves: a History, a mapping of lists, or the folder of a run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from nnscratch.kinds import as_array
from nnscratch.training.history import History


class Run(Protocol):
    """A :class:`nnscratch.training.history.History`, or any mapping of names to lists."""

    def keys(self) -> Iterable[str]: ...
    def __getitem__(self, column: str, /) -> Sequence[float]: ...


def is_run(given: Any) -> bool:
    """Whether something has columns, or is the path of what has."""
    path = isinstance(given, (str, os.PathLike)) and Path(given).exists()
    return path or hasattr(given, "keys")


def as_run(caller: str, given: Any, what: str) -> Run:
    """A record by columns; of a path the history.csv that a run left there."""
    if isinstance(given, (str, os.PathLike)) and is_run(given):
        path = Path(given)
        return History.from_csv(path / "history.csv" if path.is_dir() else path)
    if not is_run(given):
        raise ValueError(
            f"{caller}: {what} is a {type(given).__name__}, {given!r:.60}, not a History, a mapping"
            f" of lists or the folder of a run; pass several one by one, {caller}(*histories)"
        )
    run: Run = given
    return run


def steps_of(caller: str, given: Any, what: str) -> np.ndarray:
    """The loss of every step: that of a History, or a list of one's own."""
    steps = getattr(given, "steps", given)
    if hasattr(steps, "keys"):
        steps = steps.get("loss", ())
    try:
        curve = np.asarray(steps)
        curve = curve if np.iscomplexobj(curve) else curve.astype(np.float64)
    except (TypeError, ValueError):  # no numbers at all
        curve = np.empty(0)
    if curve.dtype.kind != "f" or curve.ndim != 1 or not curve.size:
        raise ValueError(
            f"{caller}: {what} has no losses by the step; pass what trainer.fit returns, or a list "
            "of numbers (the file history.csv has epochs alone)"
        )
    return curve


def rising_steps(caller: str, steps: Any, count: int) -> np.ndarray:
    """The step of each of so many records: their numbers, unless they are given."""
    if steps is None:
        return np.arange(count)
    steps = as_array(steps)
    fits = steps.dtype.kind in "iuf" and steps.shape == (count,)
    if not fits or (np.diff(steps) <= 0).any():
        raise ValueError(
            f"{caller} expected {count} rising steps, one for each record, "
            f"received {steps.shape}" + (" that do not rise" if steps.shape == (count,) else "")
        )
    return steps


def smoothed(curve: np.ndarray, smoothing: float) -> np.ndarray:
    """The exponential moving average, with its bias towards the start taken out.

    m_t = β m_{t-1} + (1 - β) x_t from m_0 = 0 weighs x_s by (1 - β) β^(t-s), together 1 - β^t;
    divided by that it is a mean from the first value on ([Adam], section 3). What is not finite
    is left out of it, and has no value itself.

    References
    ----------
    [Adam] Kingma and Ba, Adam: a method for stochastic optimization (2014).

    Examples
    --------
    >>> smoothed(np.array([2.0, 2.0, np.nan, 5.0]), 0.5)
    array([2.        , 2.        ,        nan, 3.71428571])
    """
    mean = weight = 0.0
    result = np.full(len(curve), np.nan)
    for t, value in enumerate(curve):
        if np.isfinite(value):
            mean = smoothing * mean + (1 - smoothing) * value
            weight = smoothing * weight + (1 - smoothing)
            result[t] = mean / weight
    return result


def names_of_runs(caller: str, count: int, labels: Sequence[str] | None) -> list[str]:
    """A name for each run; "" for one alone."""
    if labels is None:
        return [f"run {number}" for number in range(1, count + 1)] if count > 1 else [""]
    if isinstance(labels, str) or len(labels) != count:
        raise ValueError(
            f"{caller}: {count} histories need a list of {count} labels, received {labels!r}"
        )
    return [str(label) for label in labels]


def check_smoothing(caller: str, smoothing: float) -> None:
    if not 0 <= smoothing < 1:
        raise ValueError(
            f"{caller} expected a smoothing from 0, which is none, to below 1, received "
            f"{smoothing}; 0.9 averages over about ten values"
        )
