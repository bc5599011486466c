"""How long each layer of a model takes, measured on a copy by the observer."""

from __future__ import annotations

import copy
import time
from collections import defaultdict
from typing import Any

import numpy as np

from nnscratch.inspection.observe import Use, observe
from nnscratch.layers.base import Layer

LEAST, MOST = 3, 9  # rounds; each layer's shortest time counts, since a busy machine adds to it
ENOUGH = 0.2  # seconds, after which there is no round more than the least number


def time_passes(model: Layer, *inputs: Any) -> tuple[list[Use], dict[str, float]]:
    """Time a forward and a backward pass as training does them, which leaves out dx.

    Returns
    -------
    passes : list of Use
        Those of a copy of the model, in the quickest round.
    own : dict of str to float
        For each place in the model the seconds without those of the layers inside, of all uses
        there together, in the round in which they were least.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    >>> passes, own = time_passes(model, np.ones((5, 3)))
    >>> [use.output.shape for use in passes], list(own)
    ([(5, 2), (5, 2), (5, 2)], ['', '0', '1'])
    """
    rounds: list[list[Use]] = []
    start = time.perf_counter()
    while len(rounds) < LEAST or (len(rounds) < MOST and time.perf_counter() - start < ENOUGH):
        copied = copy.deepcopy(model)
        with observe(copied) as passes, np.errstate(all="ignore"):
            y, cache = copied.forward_pass(*inputs)
            copied.backprop(_ones_like(y), cache, need_dx=False)
        rounds.append(passes)
    sums = [_own_seconds(passes) for passes in rounds]
    least = {where: min(own[where] for own in sums) for where in sums[0]}
    return min(rounds, key=lambda passes: passes[0].seconds), least


def _own_seconds(passes: list[Use]) -> dict[str, float]:
    own = defaultdict[str, float](float)
    for use in passes:
        own[use.where] += use.own_seconds
    return own


def _ones_like(y: Any) -> Any:
    return tuple(map(_ones_like, y)) if isinstance(y, tuple) else np.ones_like(y)
