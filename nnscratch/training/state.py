"""The state of a run between two steps: what must be kept so that it can go on as if unbroken."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnscratch.checkpoint import fill, model_arrays, read_arrays, write_arrays
from nnscratch.layers.base import Layer
from nnscratch.optimizers import Optimizer
from nnscratch.optimizers.schedules import Schedule
from nnscratch.training.averaging import Average, WeightAverage
from nnscratch.training.history import History


@dataclass
class Begun:
    """An epoch that was interrupted: where its order began, and how far it came.

    Attributes
    ----------
    order : dict
        The state of the generator before the epoch's order was drawn.
    steps : int
        How many were taken.
    totals : list of float
        The sums over their samples; see `Totals`.
    """

    order: dict[str, Any]
    steps: int
    totals: list[float | None]


@dataclass
class RunState:
    """What a run knows beside the model and the optimizer.

    Attributes
    ----------
    history : History
    rng : numpy.random.Generator
        Draws the order of the samples.
    best_value, best_epoch, best_arrays
        For early stopping: the best value so far, its epoch, and the model's arrays then.
    split : int or None
        The seed by which validation samples were held out, where `fit` was given a share.
    begun : Begun or None
        The epoch that the checkpoint was written in, if it was not at the end of one.
    average : Average
        Of the weights, where a callback asks for it.
    """

    history: History
    rng: np.random.Generator
    best_value: float | None = None
    best_epoch: int = 0
    split: int | None = None
    begun: Begun | None = None
    best_arrays: dict[str, np.ndarray] = field(default_factory=dict)
    average: Average = field(default_factory=Average)

    def write(
        self,
        path: Any,
        model: Layer,
        optimizer: Optimizer,
        schedule: Schedule | None,
        average: WeightAverage | None = None,
    ) -> None:
        """Write the checkpoint: arrays by name, everything else as JSON in the array "run"."""
        facts = {
            "history": dict(self.history.items()),
            "rng": self.rng.bit_generator.state,
            "layer_rngs": {path: rng.bit_generator.state for path, rng in _layer_rngs(model)},
            "best": [self.best_value, self.best_epoch],
            "split": self.split,
            "begun": None if self.begun is None else vars(self.begun),
            "progress": [optimizer.steps, optimizer.learning_rate],
            "schedule": None if schedule is None else schedule.progress,
            "averaged": self.average.count,
            "made_with": _made_with(optimizer, schedule, average),
        }
        arrays = _targets(model, optimizer)
        arrays |= {f"best/{name}": array for name, array in self.best_arrays.items()}
        arrays |= {f"average/{name}": array for name, array in self.average.arrays.items()}
        arrays |= {f"steps/{k}": np.array(v) for k, v in self.history.steps.items()}
        write_arrays(
            path, {**arrays, "run": np.array(json.dumps(facts, default=np.ndarray.tolist))}
        )

    @classmethod
    def read(
        cls,
        path: Any,
        model: Layer,
        optimizer: Optimizer,
        schedule: Schedule | None,
        average: WeightAverage | None = None,
    ) -> RunState:
        """Read a checkpoint into model, optimizer and schedule; all of it or nothing."""
        name = os.fspath(path)
        found = read_arrays(path)
        try:
            facts = json.loads(str(found.pop("run")))
            state = cls(_history(facts["history"]), _generator(facts["rng"]), *facts["best"])
            state.split = facts["split"]
            state.begun = None if facts["begun"] is None else Begun(**facts["begun"])
            state.average.count = facts.get("averaged", 0)
            steps, learning_rate = facts["progress"]
            rngs = [(rng, facts["layer_rngs"][place]) for place, rng in _layer_rngs(model)]
            for rng, saved in rngs:
                if rng.bit_generator.state["bit_generator"] != saved["bit_generator"]:
                    raise ValueError(f"a layer drew from {saved['bit_generator']}")
            made_with: dict[str, Any] = dict(facts["made_with"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"{name} is not the checkpoint of this run ({error})") from error
        _check_made_with(name, made_with, _made_with(optimizer, schedule, average))
        state.average.arrays = _taken_out(found, "average/")
        best, curves = _taken_out(found, "best/"), _taken_out(found, "steps/")
        optimizer.attach()
        fill(_targets(model, optimizer), found, name)
        state.best_arrays = best
        state.history.steps = {key: array.tolist() for key, array in curves.items()}
        optimizer.steps, optimizer.learning_rate = steps, learning_rate
        if schedule is not None:
            schedule.restore(facts["schedule"])
        for rng, saved in rngs:
            rng.bit_generator.state = saved
        return state


def _made_with(
    optimizer: Optimizer, schedule: Schedule | None, average: WeightAverage | None
) -> dict[str, Any]:
    """What a run is planned with, as JSON keeps it: a resumed one must have the same."""
    plan: dict[str, Any] = {"optimizer": type(optimizer).__name__, **optimizer.made_with}
    plan |= {f"groups {pattern}": repr(dict(of)) for pattern, of in optimizer.groups.items()}
    plan["schedule"] = None if schedule is None else type(schedule).__name__
    if schedule is not None:
        plan |= {f"schedule's {name}": value for name, value in schedule.settings.items()}
    if average is not None:
        plan["callback"] = repr(average)
    return json.loads(json.dumps(plan, default=lambda value: getattr(value, "__name__", "…")))


def _check_made_with(name: str, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """A ValueError that lists which settings are others than those of the run."""
    other = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    if other:
        other = [key for key in other if key in ("optimizer", "schedule")] or other
        told = "; ".join(f"{key}: {then.get(key)} then, {now.get(key)} now" for key in other)
        raise ValueError(
            f"{name} was written by a run with other settings ({told}); resume with the settings "
            "that the run was started with, the planned steps of its schedule included"
        )


def _history(columns: Mapping[str, list[float]]) -> History:
    history = History()
    for values in zip(*columns.values(), strict=True):
        history.append(**dict(zip(columns, values, strict=True)))
    return history


def _taken_out(found: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin so, without the prefix; they are then no longer in `found`."""
    names = [name for name in found if name.startswith(prefix)]
    return {name.removeprefix(prefix): found.pop(name) for name in names}


def _targets(model: Layer, optimizer: Optimizer) -> dict[str, np.ndarray]:
    arrays = {f"model/{name}": array for name, array in model_arrays(model).items()}
    for kind, state in optimizer.slots.items():
        arrays |= {f"optimizer/{kind}/{name}": array for name, array in state.items()}
    return arrays


def _generator(state: dict[str, Any]) -> np.random.Generator:
    """The generator whose state was written."""
    kind = state["bit_generator"]
    if kind not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
        raise ValueError(f"NumPy has no bit generator {kind!r}")
    rng = np.random.Generator(getattr(np.random, kind)())
    rng.bit_generator.state = state
    return rng


def _layer_rngs(model: Layer) -> list[tuple[str, np.random.Generator]]:
    """The generators that layers such as Dropout draw from in their forward pass."""
    return [(path, layer.rng) for path, layer in model.walk() if hasattr(layer, "rng")]
