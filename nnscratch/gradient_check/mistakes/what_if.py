"""What the gradient would be by a mistake that arrays alone do not show.

For some mistakes the wrong gradient is the right one of another computation: of the first sample
alone, with dy = 1, at the point y, with the kernel flipped, with the operands exchanged, or of
one use of a layer that is used twice. These come of the Jacobian, or of numeric differences too.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping

import numpy as np

from nnscratch.gradient_check.draws import Draw, flat, is_float
from nnscratch.gradient_check.mistakes.through_time import (
    in_time,
    param_within_steps,
    within_steps,
)
from nnscratch.gradient_check.mistakes.windows import by_windows
from nnscratch.gradient_check.numeric import Derivatives, Numeric
from nnscratch.layers.containers import Sequential

__all__ = ["alternatives"]

LONG = 32  # places along an axis, up to which each of them is looked at alone
SMALL = 600  # elements up to which a second numeric gradient is worth its time


def alternatives(
    draw: Draw,
    name: str,
    found: Derivatives,
    rng: np.random.Generator,
    by_x: Callable[[], np.ndarray | None] = lambda: None,
) -> dict[str, list[np.ndarray]]:
    """For each code the gradients that would come of it; `by_x` gives the Jacobian by x."""
    codes: dict[str, list[np.ndarray]] = {"one_sample": [], "not_accumulated": []}
    jacobian = found.jacobian
    if jacobian is not None and len(draw.ys) == 1:
        jacobian = jacobian.reshape(len(jacobian), -1)
        ones = _product(np.ones(draw.dy.size), jacobian)
        codes["dy_ignored"] = [ones.reshape(np.shape(draw.array(name)))]
        _by_place(codes, draw, name, jacobian)
        if in_time(draw):
            codes["time_cut"] = _in_each_step(draw, name, jacobian, by_x)
        for code, arrays in by_windows(draw, name, jacobian).items():
            codes.setdefault(code, []).extend(arrays)
    if jacobian is not None and len(draw.ys) > 1:
        codes["output_ignored"] = _without_each(draw, name, jacobian.reshape(len(jacobian), -1))
    if draw.array(name).size > SMALL:
        return codes
    x = draw.inputs[0]
    if name == "dx" and draw.y.shape == np.shape(x) and is_float(x) and draw.y.ndim:
        codes["wrong_place"] = _at(draw, name, rng, inputs=[np.asarray(draw.y, np.float64)])
    if len(draw.inputs) == 2 and all(is_float(x) for x in draw.inputs):
        u, v = draw.inputs
        if u.shape == v.shape and name.startswith("dx["):
            codes["wrong_operand"] = _at(draw, name, rng, inputs=[v, u])
    _by_params(codes, draw, name, rng, found.value[0])
    codes["not_accumulated"] += _uses(draw, name, rng)
    return codes


def _product(dy: np.ndarray, jacobian: np.ndarray) -> np.ndarray:
    """dy times the Jacobian; what is not known stays NaN."""
    return np.asarray(np.where(dy[:, np.newaxis] != 0, dy[:, np.newaxis] * jacobian, 0).sum(0))


def _by_place(
    codes: dict[str, list[np.ndarray]], draw: Draw, name: str, jacobian: np.ndarray
) -> None:
    """dy at one place of each leading axis only: one sample, one step."""
    shape = np.shape(draw.array(name))
    for axis, n in enumerate(draw.dy.shape[:2]):
        places = list(range(n)) if n <= LONG else [0, n - 1]
        if not places or not draw.dy.size or (axis and draw.dy.ndim == 2 and name in draw.params):
            continue  # each column of y has its own row of W
        parts = []
        for place in places:
            only = np.zeros_like(draw.dy)
            at = (slice(None),) * axis + (place,)
            only[at] = draw.dy[at]
            parts.append(_product(only.ravel(), jacobian).reshape(shape))
        codes["one_sample"] += [parts[0], parts[-1]]
        if len(places) == n:  # written with = by a loop, forwards or backwards
            codes["not_accumulated"] += [_last_written(parts), _last_written(parts[::-1])]


def _without_each(draw: Draw, name: str, jacobian: np.ndarray) -> list[np.ndarray]:
    """With dy = 0 for each of several outputs."""
    found = []
    for without in range(len(draw.dys)):
        dys = [np.zeros_like(dy) if i == without else dy for i, dy in enumerate(draw.dys)]
        found.append(_product(flat(dys), jacobian).reshape(np.shape(draw.array(name))))
    return found


def _in_each_step(
    draw: Draw, name: str, jacobian: np.ndarray, by_x: Callable[[], np.ndarray | None]
) -> list[np.ndarray]:
    """Where no gradient goes from a step to the one before."""
    if name == "dx":
        return [within_steps(draw, jacobian)]
    if name not in draw.params or (other := by_x()) is None:
        return []
    found = param_within_steps(draw, jacobian, other, np.shape(draw.array(name)))
    return [] if found is None else [found]


def _last_written(parts: list[np.ndarray]) -> np.ndarray:
    """At every element the last of the parts that has something there."""
    stacked = np.array(parts)
    written = np.abs(stacked) > 1e-9 * np.max(np.abs(stacked), initial=0)
    last = len(parts) - 1 - np.argmax(written[::-1], axis=0)
    return np.asarray(np.take_along_axis(stacked, last[np.newaxis], 0)[0])


def _by_params(
    codes: dict[str, list[np.ndarray]],
    draw: Draw,
    name: str,
    rng: np.random.Generator,
    now: np.ndarray,
) -> None:
    """With other parameters: a kernel flipped or cut, or those that `__init__` made."""
    kernels = [k for k, a in draw.params.items() if a.ndim > 2 and k != name]
    if kernels:
        flipped = {
            k: np.flip(draw.params[k], tuple(range(2, draw.params[k].ndim))) for k in kernels
        }
        codes["flipped_kernel"] = _at(draw, name, rng, params=draw.params | flipped)
    first = draw.subject.fresh().params
    changed = {
        k: a for k, a in first.items()
        if k in draw.params and a.shape == draw.params[k].shape
        and not np.array_equal(a, draw.params[k])
    }  # fmt: skip
    stale = draw.params | changed
    codes["stale_params"] = _at(draw, name, rng, params=stale) if changed else [now]


def _at(
    draw: Draw, name: str, rng: np.random.Generator, inputs: list[np.ndarray] | None = None,
    params: Mapping[str, np.ndarray] | None = None,
) -> list[np.ndarray]:  # fmt: skip
    """The gradient at another point; none where forward does not take it."""
    try:
        value = Numeric(draw, inputs=inputs, params=params).elements(name, rng).value[0]
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
    model = Sequential(*(copy.deepcopy(layer) for layer in model.layers))
    apart.subject = type(draw.subject)(model)
    values = {
        f"{i}.{key}": draw.params[name]
        for i, layer in enumerate(draw.subject.object.layers)
        if layer is draw.subject.object.layers[int(first)]
    }
    apart.params = apart.subject.params  # of the uses beyond the first the copies'
    for use in apart.params:
        if use in draw.params:
            apart.params[use] = draw.params[use]
    apart.params |= values
    numeric = Numeric(apart)
    return [numeric.elements(use, rng).value[0] for use in values]
