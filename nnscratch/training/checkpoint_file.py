"""A checkpoint, perhaps somebody else's -> what it says, compared with the run before it is read.

Nothing that it says is believed: facts are looked at one by one, and only those arrays are
unpacked that fit the model, or that take no more memory than the file.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from nnscratch.checkpoint import check_fit, model_arrays
from nnscratch.files import printable
from nnscratch.layers.base import Layer
from nnscratch.optimizers.schedules import Schedule
from nnscratch.training.history import History

MOST_TEXT = 1 << 22  # characters of the facts; generators are the largest of them
RECORDED = ("history/", "steps/")  # what is kept of epochs and of steps


def facts_of(name: str, model: Layer) -> dict[str, Any]:
    """What the array "run" says; a ValueError where there is none, or it is too large."""
    from nnscratch.npz import read_npz  # and zipfile, for who resumes something

    def chosen(claims: Mapping[str, Any]) -> list[str]:
        if "run" not in claims:
            if claims.keys() & model.params.keys():
                raise refused(name, "it is a saved model, which nnscratch.load reads")
            raise refused(name, "it holds no run")
        text = claims["run"]
        if text.dtype.kind != "U" or text.shape or text.nbytes > 4 * MOST_TEXT:
            raise refused(name, f"its run is {text.dtype} of shape {text.shape}")
        return ["run"]

    try:
        facts = json.loads(str(read_npz(name, chosen)["run"]))
    except (json.JSONDecodeError, RecursionError, UnicodeError) as error:
        raise refused(name, error) from error
    if not isinstance(facts, dict):
        raise refused(name, "its run is no table")
    return facts


def arrays_of(name: str, model: Layer, targets: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays of a checkpoint: the targets, best and averaged weights, and what is recorded."""
    from nnscratch.npz import read_npz

    def chosen(claims: Mapping[str, Any]) -> list[str]:
        wanted = {**targets}
        for kind, arrays in (("best", model_arrays(model)), ("average", model.params)):
            wanted |= {f"{kind}/{k}": a for k, a in arrays.items() if f"{kind}/{k}" in claims}
        recorded = [key for key in claims if key.startswith(RECORDED)]
        others = claims.keys() - {"run", *recorded}
        check_fit(wanted, {key: claims[key] for key in others}, name)
        for key in recorded:
            claim = claims[key]
            if claim.dtype != float or len(claim.shape) != 1:
                raise refused(name, f"its {key} is {claim.dtype} of shape {claim.shape}")
        if sum(claims[key].nbytes for key in recorded) > Path(name).stat().st_size:
            raise refused(name, "its history unpacks to more than the file")
        return [*wanted, *recorded]

    return read_npz(name, chosen)


def taken_out(found: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, without the prefix; they are then no longer in `found`."""
    names = [name for name in found if name.startswith(prefix)]
    return {name.removeprefix(prefix): found.pop(name) for name in names}


def history_of(found: dict[str, np.ndarray]) -> History:
    """The history among the arrays of a checkpoint, which are then no longer in `found`."""
    columns = {name: array.tolist() for name, array in taken_out(found, "history/").items()}
    history = History()
    for values in zip(*columns.values(), strict=True):
        history.append(**dict(zip(columns, values, strict=True)))
    history.steps = {name: array.tolist() for name, array in taken_out(found, "steps/").items()}
    return history


def refused(name: str, why: object) -> ValueError:
    return ValueError(f"{name} is not the checkpoint of this run ({printable(str(why))})")


def try_schedule(name: str, schedule: Schedule | None, place: Any, rate: float) -> None:
    """A ValueError where a schedule cannot go to that place, before anything is changed."""
    if schedule is None:
        return
    trial: Any = copy.copy(schedule)
    trial.optimizer = SimpleNamespace(learning_rate=rate)
    try:
        count_of(place[0] if isinstance(place, list) else place)
        trial.restore(place)
        number_of(trial.optimizer.learning_rate)
    except Exception as error:
        raise refused(name, f"its schedule is at {place!r}") from error


def generator_of(state: dict[str, Any]) -> np.random.Generator:
    """The generator whose state was written."""
    kind = state["bit_generator"]
    if kind not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        raise ValueError(f"NumPy has no bit generator {kind!r}")
    rng = np.random.Generator(getattr(np.random, kind)())
    rng.bit_generator.state = state
    return rng


def totals_of(sums: Any) -> list[float | None]:
    """The four sums of an epoch that was interrupted."""
    found = [None if each is None else number_of(each) for each in sums]
    if len(found) != 4:
        raise ValueError(f"it has {len(found)} totals")
    return found


def best_of(value: Any, epoch: Any) -> tuple[float | None, int]:
    """The best value so far, perhaps infinite, and its epoch."""
    if value is not None and (type(value) not in (int, float) or math.isnan(value)):
        raise ValueError(f"{value!r} is not the best of its epochs")
    return value, count_of(epoch)


def progress_of(steps: Any, learning_rate: Any) -> tuple[int, float]:
    """How many steps were taken, and the rate of the next."""
    if not number_of(learning_rate) >= 0:
        raise ValueError(f"{learning_rate!r} is no learning rate")
    return count_of(steps), float(learning_rate)


def places_of(value: Any) -> list[dict[str, str]]:
    """On what a run was computed so far."""
    if not isinstance(value, list) or not all(isinstance(place, dict) for place in value):
        raise ValueError(f"it was computed on {value!r}")
    words = [word for place in value for pair in place.items() for word in pair]
    if not all(isinstance(word, str) and len(word) < 200 and word.isprintable() for word in words):
        raise ValueError("what it was computed on is no words")
    return value


def count_of(value: Any) -> int:
    """A whole number of steps or epochs, or a seed."""
    if type(value) is not int or not 0 <= value <= 2**63:
        raise ValueError(f"{value!r} is no count")
    return value


def number_of(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    return float(value)
