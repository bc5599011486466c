"""What the gradient would be by a mistake that arrays alone do not show.

For some mistakes the wrong gradient is the right one of another computation: of the first sample
alone, with dy = 1, at the point y, with the kernel flipped, with the operands exchanged, or of
one use of a layer that is used twice. These are computed by numeric differences too.
"""

from __future__ import annotations

import copy

import numpy as np

from nnscratch.gradient_check.differences import Derivative
from nnscratch.gradient_check.draws import Draw, Numeric, is_float
from nnscratch.layers.containers import Sequential

LONG = 32  # places along an axis, up to which each of them is looked at alone
SMALL = 600  # elements up to which a second numeric gradient is worth its time


def masked_dys(draw: Draw) -> list[np.ndarray]:
    """dy = 1 everywhere, then dy at one place of each leading axis only, for all places."""
    dys = [np.ones_like(draw.dy)]
    for axis, places in enumerate(_places(draw)):
        for place in places:
            only = np.zeros_like(draw.dy)
            at = (slice(None),) * axis + (place,)
            only[at] = draw.dy[at]
            dys.append(only)
    return dys


def _places(draw: Draw) -> list[list[int]]:
    """For the first two axes all places; the first and the last of a long axis."""
    return [list(range(n)) if n <= LONG else [0, n - 1] for n in draw.dy.shape[:2] if draw.dy.size]


def alternatives(
    draw: Draw, name: str, found: Derivative, rng: np.random.Generator
) -> dict[str, list[np.ndarray]]:
    """For each code the gradients that would come of it."""
    codes: dict[str, list[np.ndarray]] = {
        "dy_ignored": [found.value[1]],
        "one_sample": [],
        "not_accumulated": [],
    }
    start = 2
    for places in _places(draw):
        parts = found.value[start : start + len(places)]
        start += len(places)
        codes["one_sample"] += [parts[0], parts[-1]]
        if len(places) == places[-1] + 1:  # written with = by a loop, forwards or backwards
            codes["not_accumulated"] += [_last_written(parts), _last_written(parts[::-1])]
    if draw.array(name).size > SMALL:
        return codes
    x = draw.inputs[0]
    if name == "dx" and draw.y.shape == np.shape(x) and is_float(x) and draw.y.ndim:
        codes["wrong_place"] = _at(draw, name, [np.asarray(draw.y, np.float64)], rng)
    if len(draw.inputs) == 2 and all(is_float(x) for x in draw.inputs):
        u, v = draw.inputs
        if u.shape == v.shape and name.startswith("dx["):
            codes["wrong_operand"] = _at(draw, name, [v, u], rng)
    kernels = [k for k, a in draw.params.items() if a.ndim > 2 and k != name]
    if kernels:
        flipped = copy.copy(draw)
        flipped.params = draw.params | {
            k: np.flip(draw.params[k], tuple(range(2, draw.params[k].ndim))) for k in kernels
        }
        codes["flipped_kernel"] = _at(flipped, name, draw.inputs, rng)
    codes["not_accumulated"] += _uses(draw, name, rng)
    return codes


def _last_written(parts: np.ndarray) -> np.ndarray:
    """At every element the last of the parts that has something there."""
    written = np.abs(parts) > 1e-9 * np.max(np.abs(parts), initial=0)
    last = len(parts) - 1 - np.argmax(written[::-1], axis=0)
    return np.asarray(np.take_along_axis(parts, last[np.newaxis], 0)[0])


def _at(
    draw: Draw, name: str, inputs: list[np.ndarray], rng: np.random.Generator
) -> list[np.ndarray]:
    """The gradient at another point; none where forward does not take it."""
    try:
        value = Numeric(draw, inputs=inputs).elements(name, rng).value[0]
    except Exception:
        return []
    return [value] if np.isfinite(value).all() else []


def _uses(draw: Draw, name: str, rng: np.random.Generator) -> list[np.ndarray]:
    """The gradient of a parameter by each use of its layer in a Sequential."""
    model = draw.subject.object
    if not isinstance(model, Sequential) or name not in draw.params:
        return []
    first, _, key = name.partition(".")
    if not first.isdigit() or sum(m is model.layers[int(first)] for m in model.layers) < 2:
        return []
    apart = copy.copy(draw)
    subject = draw.subject.fresh()
    subject.object = Sequential(*(copy.deepcopy(layer) for layer in model.layers))
    subject.source = subject.object
    subject.params = dict(subject.object.params)
    values = {
        f"{i}.{key}": draw.params[name]
        for i, layer in enumerate(model.layers)
        if layer is model.layers[int(first)]
    }
    apart.subject, apart.params = subject, draw.params | values
    numeric = Numeric(apart)
    return [numeric.elements(use, rng).value[0] for use in values]
