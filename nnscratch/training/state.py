"""The state of a run between two steps: what must be kept so that it can go on as if unbroken."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnscratch.checkpoint import fill, model_arrays, write_arrays
from nnscratch.layers.base import Layer
from nnscratch.optimizers import Optimizer
from nnscratch.optimizers.schedules import Schedule
from nnscratch.training.averaging import Average, WeightAverage
from nnscratch.training.checkpoint_file import (
    arrays_of,
    best_of,
    count_of,
    facts_of,
    generator_of,
    history_of,
    number_of,
    places_of,
    progress_of,
    refused,
    taken_out,
    totals_of,
    try_schedule,
)
from nnscratch.training.history import History

EMPTY: Mapping[str, Any] = {}


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
    learning_rate : float
        That of the last of them.
    batch_size, samples : int or None
        Of which the steps were; None where the samples cannot be counted, or in older files.
    """

    order: dict[str, Any]
    steps: int
    totals: list[float | None]
    learning_rate: float = 0.0
    batch_size: int | None = None
    samples: int | None = None


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
    share : float or None
        That share; None in older files.
    begun : Begun or None
        The epoch that the checkpoint was written in, if it was not at the end of one.
    average : Average
        Of the weights, where a callback asks for it.
    computed_on : list of dict
        On what, one after the other, where a run went on elsewhere; see `order_of_sums`.
    """

    history: History
    rng: np.random.Generator
    best_value: float | None = None
    best_epoch: int = 0
    split: int | None = None
    share: float | None = None
    begun: Begun | None = None
    best_arrays: dict[str, np.ndarray] = field(default_factory=dict)
    average: Average = field(default_factory=Average)
    computed_on: list[dict[str, str]] = field(default_factory=list)

    def write(
        self,
        path: Any,
        model: Layer,
        optimizer: Optimizer,
        schedule: Schedule | None,
        average: WeightAverage | None = None,
        options: Mapping[str, Any] = EMPTY,
    ) -> None:
        """Write the checkpoint: arrays by name, everything else as JSON in the array "run"."""
        facts = {
            "rng": self.rng.bit_generator.state,
            "layer_rngs": {path: rng.bit_generator.state for path, rng in _layer_rngs(model)},
            "best": [self.best_value, self.best_epoch],
            "split": self.split,
            "share": self.share,
            "begun": None if self.begun is None else vars(self.begun),
            "progress": [optimizer.steps, optimizer.learning_rate],
            "schedule": None if schedule is None else schedule.progress,
            "averaged": self.average.count,
            "made_with": _made_with(optimizer, schedule, average, options),
            "computed_on": self.computed_on,
        }
        arrays = _targets(model, optimizer)
        arrays |= {f"best/{name}": array for name, array in self.best_arrays.items()}
        arrays |= {f"average/{name}": array for name, array in self.average.arrays.items()}
        arrays |= {f"history/{k}": np.array(v, float) for k, v in self.history.items()}
        arrays |= {f"steps/{k}": np.array(v, float) for k, v in self.history.steps.items()}
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
        options: Mapping[str, Any] = EMPTY,
    ) -> RunState:
        """Read a checkpoint into model, optimizer and schedule; all of it or nothing."""
        name = os.fspath(path)
        facts = facts_of(name, model)
        try:
            state = cls(History(), generator_of(facts["rng"]), *best_of(*facts["best"]))
            state.split = None if facts["split"] is None else count_of(facts["split"])
            share = facts.get("share")  # not in older ones
            state.share = None if share is None else number_of(share)
            state.begun = None if facts["begun"] is None else _begun(**facts["begun"])
            state.average.count = count_of(facts["averaged"])
            state.computed_on = places_of(facts.get("computed_on", []))  # not in older ones
            steps, learning_rate = progress_of(*facts["progress"])
            rngs = [(rng, facts["layer_rngs"][path]) for path, rng in _layer_rngs(model)]
            for rng, saved in rngs:
                if rng.bit_generator.state["bit_generator"] != saved["bit_generator"]:
                    raise ValueError(f"a layer drew from {saved['bit_generator']}")
                generator_of(saved)
            made_with, place = dict(facts["made_with"]), facts["schedule"]
        except Exception as error:  # a damaged one raises almost anything in there
            raise refused(name, error) from error
        made_with = {**options, **made_with}  # which older files do not have
        _check_made_with(name, made_with, _made_with(optimizer, schedule, average, options))
        try_schedule(name, schedule, place, learning_rate)
        optimizer.attach()
        targets = _targets(model, optimizer)
        found = arrays_of(name, model, targets)
        state.best_arrays = taken_out(found, "best/")
        averages = taken_out(found, "average/")
        state.average.arrays = {key: array.astype(np.float64) for key, array in averages.items()}
        state.history = history_of(found)
        fill(targets, found, name)
        optimizer.steps, optimizer.learning_rate = steps, learning_rate
        if schedule is not None:
            schedule.restore(place)
        for rng, saved in rngs:
            rng.bit_generator.state = saved
        return state


def _begun(
    order: dict[str, Any],
    steps: Any,
    totals: Any,
    learning_rate: Any,
    batch_size: Any = None,
    samples: Any = None,
) -> Begun:
    generator_of(order)
    steps, learning_rate = progress_of(steps, learning_rate)
    sizes = (None if size is None else count_of(size) for size in (batch_size, samples))
    return Begun(order, steps, totals_of(totals), learning_rate, *sizes)


def _made_with(
    optimizer: Optimizer,
    schedule: Schedule | None,
    average: WeightAverage | None,
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """What a run is planned with, as JSON keeps it: a resumed one must have the same."""
    plan: dict[str, Any] = {"optimizer": type(optimizer).__name__, **optimizer.made_with, **options}
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


def _targets(model: Layer, optimizer: Optimizer) -> dict[str, np.ndarray]:
    arrays = {f"model/{name}": array for name, array in model_arrays(model).items()}
    for kind, state in optimizer.slots.items():
        arrays |= {f"optimizer/{kind}/{name}": array for name, array in state.items()}
    return arrays


def _layer_rngs(model: Layer) -> list[tuple[str, np.random.Generator]]:
    """The generators that layers such as Dropout draw from in their forward pass."""
    return [(path, layer.rng) for path, layer in model.walk() if hasattr(layer, "rng")]
