"""Gradients that are not where they usually are: found by their numbers, or read off updates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.discovery import numbers_with_gradients
from nnscratch.gradient_check.draws import Draw, copied, is_float, run
from nnscratch.gradient_check.examination import Examination
from nnscratch.gradient_check.left_behind import MISSING
from nnscratch.gradient_check.methods import Functions, parameters
from nnscratch.gradient_check.names import is_dy, plain
from nnscratch.gradient_check.places import Place, is_floating, walk
from nnscratch.gradient_check.probes import alike
from nnscratch.gradient_check.subject import Subject

__all__ = ["complete", "is_right", "unclear"]


def is_right(draw: Draw) -> bool:
    """Whether every gradient agrees with the numeric one."""
    names = [n for n in draw.got if n in draw.params or n.startswith("dx")]
    names = [n for n in names if is_float(draw.array(n))]
    examined = Examination([draw], np.random.default_rng(0))
    return bool(names) and all(
        not examined.moves(n) if draw.got[n] is MISSING else examined.agrees_along(0, n)
        for n in names
    )


def complete(subject: Subject, inputs: Sequence[Any], draw: Draw, dy: Any, seed: int) -> Draw:
    """Look for gradients that were not where gradients usually are."""
    if subject.ours or (isinstance(subject.object, Functions) and subject.object.params is None):
        return draw
    manner = subject.manner
    manner.places = manner.places | numbers_with_gradients(subject, inputs)
    _find_updates(subject, draw)
    if manner.places.keys() != draw.params.keys() or manner.trained:
        draw = run(subject, inputs, np.random.default_rng(seed), dy=dy)
    if _adds_the_error(subject, draw):
        manner.updates = {name: -rate for name, rate in manner.updates.items()}
        draw = run(subject, inputs, np.random.default_rng(seed), dy=dy)
    for name in [n for n in manner.places if draw.got.get(n, MISSING) is MISSING]:
        for place, array in unclear(subject, inputs, draw.params[name].shape, draw.dys):
            trial = replace(draw, got=draw.got | {name: array})
            if is_right(replace(trial, got={name: array})):
                manner.left[name] = place
                draw = trial
                break
        draw = _with_only_gradient(subject, inputs, draw, name)
    return _with_left_dx(subject, inputs, draw)


def _with_only_gradient(subject: Subject, inputs: Sequence[Any], draw: Draw, name: str) -> Draw:
    """Of a layer with one parameter what is left as self.grad, if it can be no dx by its shape."""
    shape = draw.params[name].shape
    if len(draw.params) > 1 or any(is_float(x) and x.shape == shape for x in draw.inputs):
        return draw
    for place, array in unclear(subject, inputs, shape, draw.dys):
        if draw.got[name] is MISSING and plain(place.last) in ("grad", "grads", "gradient"):
            subject.manner.left[name] = place
            return replace(draw, got=draw.got | {name: array})
    return draw


def _with_left_dx(subject: Subject, inputs: Sequence[Any], draw: Draw) -> Draw:
    """A dx that is not returned but left under another gradient's name, as self.accum_grad."""
    if "dx" not in draw.got or draw.got["dx"] is not None or not is_float(draw.inputs[0]):
        return draw
    found = list(unclear(subject, inputs, draw.inputs[0].shape, draw.dys))
    trials = [(place, replace(draw, got=draw.got | {"dx": array})) for place, array in found]
    right = [t for t in trials if is_right(replace(t[1], got={"dx": t[1].got["dx"]}))]
    for place, trial in right or [t for t in trials if is_dy(t[0].last)]:
        subject.manner.left["dx"] = place
        return trial
    return draw


def _find_updates(subject: Subject, draw: Draw) -> None:
    """The parameters that backward changes itself, without handing over their gradients."""
    after = draw.subject.params
    manner = subject.manner
    for name, before in draw.params.items():
        if draw.got.get(name, MISSING) is MISSING and not alike(after.get(name), before):
            manner.trained.add(name)
    if not manner.trained:
        return
    rate = subject.rate_of_update()
    rates = dict.fromkeys(manner.trained, rate) if rate else _rates(draw, after)
    twice = subject.fresh()
    twice.forward([copied(x) for x in draw.inputs])
    twice.backward([2 * dy for dy in draw.dys], draw.inputs)
    for name in [n for n in manner.places if n in manner.trained and n in rates]:
        step, double = after[name] - draw.params[name], twice.params[name] - draw.params[name]
        if np.allclose(double, 2 * step, rtol=1e-6, atol=1e-9 * float(np.max(np.abs(step)))):
            manner.updates[name] = float(rates[name] or 1)


def _adds_the_error(subject: Subject, draw: Draw) -> bool:
    """Whether dy is an error, target - output, that the updates add instead of subtracting."""
    backward = parameters(getattr(subject.object, subject.methods[1])) or []
    if not any(plain(p.name).endswith(("error", "err")) for p in backward):
        return False
    updates = [name for name in subject.manner.updates if is_float(draw.got.get(name))]
    down = [is_right(replace(draw, got={name: draw.got[name]})) for name in updates]
    up = [is_right(replace(draw, got={name: -draw.got[name]})) for name in updates]
    return any(up) and not any(down)


def _rates(draw: Draw, after: Mapping[str, np.ndarray]) -> dict[str, float]:
    """The rate of an optimizer inside, where every step is that share of the right gradient."""
    trained = draw.subject.manner.trained
    steps = {name: draw.params[name] - after[name] for name in draw.params if name in trained}
    examined = Examination([replace(draw, got=steps)], np.random.default_rng(0))
    found = {}
    for name, step in steps.items():
        expected = examined.expected(0, name)
        size = float(np.nansum(expected**2))
        rate = float(np.nansum(step * expected)) / size if size else 0.0
        if rate > 0 and np.allclose(step, rate * expected, rtol=1e-5, atol=1e-7, equal_nan=True):
            found[name] = rate
    return found if len(set(np.round(list(found.values()), 9))) == 1 else {}


def unclear(
    subject: Subject, inputs: Sequence[Any], shape: tuple[int, ...], dys: Sequence[np.ndarray]
) -> Iterator[tuple[Place, np.ndarray]]:
    """Arrays of this shape that backward changes, whatever they are."""
    used = subject.fresh()
    used.forward([copied(x) for x in inputs])
    before = {s: v.copy() for s, v in walk(used.object) if is_floating(v)}
    used.backward([dy.copy() for dy in dys], inputs)
    known = {place.steps for place in subject.manner.places.values()}
    for steps, value in walk(used.object):
        if not is_floating(value) or value.shape != shape or steps in known:
            continue
        if steps not in before or not np.array_equal(before[steps], value):
            yield Place(steps), value.copy()
