"""The step of an optimizer: a formula for one vector, applied block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer
from nnscratch.layers.flat import Allocate, FlatArrays, flatten, share_of

__all__ = ["Optimizer"]

FLUSHED_EVERY = 128  # steps; seldom enough to cost nothing
BLOCK = 65536  # elements: 256 KiB of float32, so that weights, gradients and state fit in cache


class Optimizer:
    """What all optimizers share: the model's flat vectors, the state, and the step.

    Parameters
    ----------
    model : Layer
    learning_rate : float
        May be changed between steps; schedules do.

    Attributes
    ----------
    steps : int
        How many steps were taken.
    state : dict of str to FlatArrays
        Laid out like the parameters, so that `state["velocity"]["0.W"]` belongs to "0.W".
    grads : FlatArrays
        Where a gradient pass may write; `step` finds it there without a copy.

    Raises
    ------
    ValueError
        A setting is out of range, or gradients do not fit the parameters.
    """

    state_names: tuple[str, ...] = ()

    def __init__(self, model: Layer, learning_rate: float, **settings: float) -> None:
        for name, value in {"learning_rate": learning_rate, **settings}.items():
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{type(self).__name__} expected {name} >= 0, received {value}")
        for name in ("momentum", "beta1", "beta2", "decay"):
            if name in settings and settings[name] >= 1:
                raise ValueError(
                    f"{type(self).__name__} expected {name} in [0, 1), received {settings[name]}"
                )
        if not model.params:
            raise ValueError(f"{model} has no parameters to train")
        self.model = model
        self.learning_rate = float(learning_rate)
        self.steps = 0
        self.params = flatten(model)
        self.grads = FlatArrays(self.params)
        self.state = {name: FlatArrays(self.params) for name in self.state_names}

    def update(self, w: np.ndarray, g: np.ndarray, *state: np.ndarray) -> None:
        """The formula: change w and the state in place; g is only read."""
        raise NotImplementedError

    def step(self, grads: Mapping[str, np.ndarray]) -> None:
        """Update every parameter from its gradient; `grads` is never written to."""
        self.attach()
        if grads is not self.grads:
            self._gather(grads)
        self.advance(self.grads)

    def advance(self, grads: FlatArrays, part: int = 0, parts: int = 1) -> None:
        """One step from gradients that are laid out like the parameters, for a part of them."""
        self.steps += 1
        for dtype, w in self.params.vectors.items():
            vectors = [w, grads.vectors[dtype], *(s.vectors[dtype] for s in self.state.values())]
            vectors = [share_of(vector, part, parts) for vector in vectors]
            for start in range(0, len(vectors[0]), BLOCK):
                blocks = [vector[start : start + BLOCK] for vector in vectors]
                self.update(*blocks)
                if self.steps % FLUSHED_EVERY == 0:
                    _flush_tiny(blocks[2:])

    def attach(self) -> None:
        """Move along, state and all, if the model's arrays were replaced since the last step."""
        if not self.params.attached():
            self._lay_out()

    def move(self, allocate: Allocate) -> None:
        """Move parameters, gradients and state into vectors allocated by that function."""
        self.params = flatten(self.model, allocate)
        self.grads = FlatArrays(self.params, allocate=allocate)
        self.state = {k: FlatArrays(self.params, s, allocate) for k, s in self.state.items()}

    def _lay_out(self) -> None:
        """Vectors for the arrays that the model has now, the state carried over by name."""
        self.params = flatten(self.model)
        self.grads = FlatArrays(self.params)
        self.state = {name: FlatArrays(self.params, values=s) for name, s in self.state.items()}

    def _gather(self, grads: Mapping[str, np.ndarray]) -> None:
        """Copy gradients that are not there yet into the flat vector."""
        if grads.keys() != self.params.keys():
            wrong = ", ".join(sorted(grads.keys() ^ self.params.keys()))
            raise ValueError(
                f"gradients and parameters differ in {wrong}; pass the grads of model.backward(dy)"
            )
        fresh = {name: grad for name, grad in grads.items() if grad is not self.grads[name]}
        for name, grad in fresh.items():
            shape = None if grad is None else np.shape(grad)
            if shape != self.params[name].shape:
                raise ValueError(
                    f"the gradient of {name!r} has shape {shape}, "
                    f"the parameter {self.params[name].shape}"
                )
        for name, grad in fresh.items():
            self.grads[name][...] = grad

    def __getstate__(self) -> dict[str, Any]:
        """A copy holds the state by name; it lays its vectors out again with its own model."""
        state = {
            key: value for key, value in self.__dict__.items() if key not in ("params", "grads")
        }
        state["state"] = {name: dict(arrays) for name, arrays in self.state.items()}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lay_out()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(learning_rate={self.learning_rate:g})"


def _flush_tiny(state: list[np.ndarray]) -> None:
    """Set numbers too small for a full mantissa to 0.

    The state of a weight whose gradient stays 0 decays to them and then remains there by
    rounding, and many processors compute many times more slowly with them.
    """
    for block in state:
        block *= np.abs(block) >= np.finfo(block.dtype).smallest_normal
