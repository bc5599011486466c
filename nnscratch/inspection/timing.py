"""How long each layer of a model takes, measured on a copy from outside.

No layer keeps a clock for it, so a training step is not slowed down by what is seldom asked.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer

LEAST, MOST = 3, 9  # rounds; each layer's shortest time counts, since a busy machine adds to it
ENOUGH = 0.2  # seconds, after which there is no round more than the least number


@dataclass
class Use:
    """One call of a layer's forward pass, and of the backward pass that belongs to it."""

    output: tuple[int, ...] = ()
    seconds: float = 0.0  # of both passes
    inside: float = 0.0  # seconds of the layers that it called
    own: float = 0.0  # what remains, in the round in which it was least


@dataclass
class Passes:
    """A forward and a backward pass over a copy of a model.

    Attributes
    ----------
    uses : list of Use
        In the order of `model.walk()`.
    seconds : float
        Of both passes.
    cache : object
        What the forward pass kept for the backward pass.
    model : Layer
        The copy.
    """

    uses: list[Use]
    seconds: float
    cache: Any
    model: Layer


def time_passes(model: Layer, *inputs: np.ndarray) -> Passes:
    """Time a forward and a backward pass as training does them, which leaves out dx.

    Examples
    --------
    >>> import nnscratch as nn
    >>> passes = time_passes(nn.Sequential(nn.Linear(3, 2), nn.ReLU()), np.ones((5, 3)))
    >>> [use.output for use in passes.uses]
    [(5, 2), (5, 2), (5, 2)]
    """
    found: list[Passes] = []
    start = time.perf_counter()
    while len(found) < LEAST or (len(found) < MOST and time.perf_counter() - start < ENOUGH):
        copied = copy.deepcopy(model)
        watch = Stopwatch(copied)
        with np.errstate(all="ignore"):
            y, cache = copied.forward_pass(*inputs)
            copied.backprop(np.ones_like(y), cache, need_dx=False)
        (whole,) = watch.uses[id(copied)]
        in_order = {key: iter(uses) for key, uses in watch.uses.items()}
        uses = [next(in_order[id(layer)], Use()) for _, layer in copied.walk()]
        found.append(Passes(uses, whole.seconds, cache, copied))
    quickest = min(found, key=lambda passes: passes.seconds)
    for rounds in zip(quickest.uses, *(passes.uses for passes in found), strict=True):
        rounds[0].own = min(use.seconds - use.inside for use in rounds)
    return quickest


class Stopwatch:
    """Times every layer of a model, whose passes it covers with its own.

    A layer may stand at several places: its uses are told apart by their order, which the
    backward pass reverses.
    """

    def __init__(self, model: Layer) -> None:
        self.uses: dict[int, list[Use]] = {}  # by the layer's id, in the order of the calls
        self._running: list[Use] = []
        for layer in {id(layer): layer for _, layer in model.walk()}.values():
            self._cover(layer)

    def _cover(self, layer: Layer) -> None:
        forward_pass, backprop = layer.forward_pass, layer.backprop
        uses = self.uses[id(layer)] = []
        waiting: list[Use] = []  # for their backward pass

        def timed_forward(*inputs: Any) -> Any:
            use = Use()
            uses.append(use)
            waiting.append(use)
            y, cache = self._timed(use, forward_pass, *inputs)
            use.output = y.shape
            return y, cache

        def timed_backprop(*arguments: Any, **options: Any) -> Any:
            use = waiting.pop() if waiting else Use()
            return self._timed(use, backprop, *arguments, **options)

        # On the object, where they come before those of its class.
        layer.forward_pass, layer.backprop = timed_forward, timed_backprop  # type: ignore

    def _timed(self, use: Use, function: Any, *arguments: Any, **options: Any) -> Any:
        self._running.append(use)
        start = time.perf_counter()
        result = function(*arguments, **options)
        seconds = time.perf_counter() - start
        self._running.pop()
        use.seconds += seconds
        if self._running:
            self._running[-1].inside += seconds
        return result
