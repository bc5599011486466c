"""The state of a run between two epochs: what must be kept so that it can go on as if unbroken."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnscratch.checkpoint import fill, model_arrays, read_arrays, write_arrays
from nnscratch.layers.base import Layer
from nnscratch.optimizers import Optimizer
from nnscratch.optimizers.schedules import Schedule
from nnscratch.training.history import History


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
    """

    history: History
    rng: np.random.Generator
    best_value: float | None = None
    best_epoch: int = 0
    best_arrays: dict[str, np.ndarray] = field(default_factory=dict)

    def write(
        self, path: Any, model: Layer, optimizer: Optimizer, schedule: Schedule | None
    ) -> None:
        """Write the checkpoint: arrays by name, everything else as JSON in the array "run"."""
        facts = {
            "history": dict(self.history.items()),
            "rng": self.rng.bit_generator.state,
            "layer_rngs": {path: rng.bit_generator.state for path, rng in _layer_rngs(model)},
            "best": [self.best_value, self.best_epoch],
            "optimizer": [type(optimizer).__name__, optimizer.steps, optimizer.learning_rate],
            "schedule": None if schedule is None else schedule.steps_taken,
        }
        arrays = _targets(model, optimizer)
        arrays |= {f"best/{name}": array for name, array in self.best_arrays.items()}
        write_arrays(
            path, {**arrays, "run": np.array(json.dumps(facts, default=np.ndarray.tolist))}
        )

    @classmethod
    def read(
        cls, path: Any, model: Layer, optimizer: Optimizer, schedule: Schedule | None
    ) -> RunState:
        """Read a checkpoint into model, optimizer and schedule; all of it or nothing."""
        name = os.fspath(path)
        found = read_arrays(path)
        try:
            facts = json.loads(str(found.pop("run")))
            kind, steps, learning_rate = facts["optimizer"]
            history = History()
            for values in zip(*facts["history"].values(), strict=True):
                history.append(**dict(zip(facts["history"], values, strict=True)))
            state = cls(history, _generator(facts["rng"]), *facts["best"])
            rngs = [(rng, facts["layer_rngs"][place]) for place, rng in _layer_rngs(model)]
            for rng, saved in rngs:
                if rng.bit_generator.state["bit_generator"] != saved["bit_generator"]:
                    raise ValueError(f"a layer drew from {saved['bit_generator']}")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{name} is not the checkpoint of this run ({error})") from error
        if kind != type(optimizer).__name__ or (facts["schedule"] is None) != (schedule is None):
            raise ValueError(
                f"{name} was written with {kind} "
                f"{'without' if facts['schedule'] is None else 'and'} a schedule; "
                "resume with the settings that the run was started with"
            )
        best = {key[5:]: found.pop(key) for key in list(found) if key.startswith("best/")}
        optimizer.attach()
        fill(_targets(model, optimizer), found, name)
        state.best_arrays = best
        optimizer.steps, optimizer.learning_rate = steps, learning_rate
        if schedule is not None:
            schedule.go_to(facts["schedule"])
        for rng, saved in rngs:
            rng.bit_generator.state = saved
        return state


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
