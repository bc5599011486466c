"""Finding out how an object is used: its parameters, its gradients, its way of being called.

A parameter is a floating array that moves the output: it is moved, and forward asked. So caches,
gradients and running sums are none, whatever their names, and what is made in the first forward
or kept in an inner object is one.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.calling import ways
from nnscratch.gradient_check.copies import copy_of, is_list_of_numbers
from nnscratch.gradient_check.differences import spread
from nnscratch.gradient_check.draws import copied
from nnscratch.gradient_check.left_behind import beside
from nnscratch.gradient_check.methods import CLEARING
from nnscratch.gradient_check.names import is_buffer, is_parameter, is_value_and_gradient, rank
from nnscratch.gradient_check.places import (
    HOLDERS,
    Place,
    holds,
    is_floating,
    members,
    places_of,
    walk,
)
from nnscratch.gradient_check.subject import Manner, Subject, same
from nnscratch.layers.base import Layer
from nnscratch.losses.base import Loss

__all__ = ["declared", "discover", "known_by_name", "numbers_with_gradients"]


def discover(
    source: Any,
    inputs: Sequence[Any],
    structure: list[Any],
    options: dict[str, bool] | None = None,
    clearing: bool = True,
    target_first: bool = False,
) -> Iterator[Subject]:
    """The object with each way of using it, likely ones first.

    `options` are given to forward; without `clearing` no method that clears gradients is called.

    Raises whatever forward raises.
    """
    if isinstance(source, Loss):
        subject = Subject(source)
        subject.manner.structure = structure
        yield subject
        return
    manner = Manner(structure=structure, options=options or {}, target_first=target_first)
    subject = _warmed(source, inputs, manner, clearing)
    manner = subject.manner
    if subject.copied and _goes_on(subject, inputs):
        manner.stateful = manner.goes_on = True
    if callable(getattr(source, "save_for_backward", None)):
        manner.stateful = True  # one object for each use: what it saved stays
    manner.places = _parameters(subject, inputs)
    listed = {id(a) for a in declared(subject.object)}
    manner.listed = {
        name
        for name, place in manner.places.items()
        if {id(place.read(subject.object)), id(place.holder(subject.object))} & listed
        or isinstance(source, Layer)
    }
    probe = subject.fresh()
    probe.forward([copied(x) for x in inputs])
    forward, backward = (getattr(probe.object, name) for name in probe.methods)
    passed = len(structure) or None
    for call in ways(forward, backward, probe.returned, subject.ours, passed, target_first):
        own = replace(manner, call=call, probing=False, updates={}, trained=set(), left={})
        way = Subject(subject.source, own)
        way.random.follow(subject.random)
        yield way


def _warmed(source: Any, inputs: Sequence[Any], manner: Manner, clearing: bool) -> Subject:
    """The object, after its first forward if that makes parameters."""
    listed = _lists_to_arrays(source, inputs, manner)
    manner.lists = listed is not source
    subject = Subject(_numbers_to_arrays(listed), manner)
    source = subject.source
    if not isinstance(source, Layer):
        methods = [n for n in CLEARING if callable(getattr(source, n, None))]
        usable = [n for n in methods if clearing and _works(subject, n)]
        manner.clearing, manner.stateful = usable, bool(methods) and not usable
        manner.pairs = list(_pairs(subject.object))
    subject.forward([copied(x) for x in inputs])
    manner.global_state = subject.random.drew_globally()
    if isinstance(source, Layer) or not subject.copied:
        return subject
    before = {place.steps for place in places_of(subject.fresh().object)}
    made = [p for p in places_of(subject.live) if p.steps not in before]
    if not made:
        return subject
    warm = copy.deepcopy(subject.live)
    second = Subject(warm, replace(manner, pairs=list(_pairs(warm))))
    second.forward([copied(x) for x in inputs])
    second.manner.global_state = second.random.drew_globally()
    if any(_moves(second, place, inputs) for place in made):
        return second
    return subject


def _works(subject: Subject, method: str) -> bool:
    """Whether a method can be called without arguments."""
    try:
        getattr(subject.fresh().object, method)()
    except Exception:  # it wants arguments, or an optimizer
        return False
    return True


def _goes_on(subject: Subject, inputs: Sequence[Any]) -> bool:
    """Whether a second forward on the same numbers gives another y."""
    used = subject.fresh()
    first = [y.copy() for y in used.forward([copied(x) for x in inputs])]
    if not same(first, [y.copy() for y in used.forward([copied(x) for x in inputs])]):
        return same(first, subject.fresh().forward([copied(x) for x in inputs]))
    return False


def _pairs(source: Any) -> Iterator[Place]:
    """Where the gradients are in objects with value and grad."""
    for steps, value in walk(source):
        if isinstance(value, (dict, list, tuple, np.ndarray, Layer)) or not holds(value):
            continue
        found = is_value_and_gradient([s for s, _ in members(value) if isinstance(s, str)])
        if found and is_floating(getattr(value, found[0])):
            yield Place((*steps, found[1]))


def declared(source: Any) -> list[Any]:
    """What an object calls its parameters: the entries of `params`, or of `params()`."""
    found: list[Any] = []
    for _, value in [((), source), *walk(source)]:
        for name in HOLDERS if holds(value) and not isinstance(value, (dict, list, tuple)) else ():
            held = getattr(value, name, None)
            if callable(held):
                try:
                    held = held()
                except Exception:  # it wants arguments
                    continue
            if isinstance(held, Mapping):
                found += list(held.values())
            elif isinstance(held, (list, tuple)):
                found += list(held)
    return found


def _parameters(subject: Subject, inputs: Sequence[Any]) -> dict[str, Place]:
    """The parameters by name, weights before biases unless the object lists them itself."""
    target = subject.fresh()
    listed = [id(a) for a in declared(target.object)]
    owners = {
        id(value): i for i, value in enumerate(declared(target.object)) if not is_floating(value)
    }
    places: list[tuple[int, Place]] = []
    order: dict[tuple[Any, ...], int] = {}
    gradients = {place.steps for place in subject.manner.pairs}
    for place in places_of(target.object):
        if place.steps in gradients:
            continue
        array = place.read(target.object)
        named = isinstance(target.object, Layer) and place.steps[0] == "params"
        owner = owners.get(id(place.holder(target.object)))
        if named or id(array) in listed or owner is not None:
            at = listed.index(id(array)) if id(array) in listed else (owner or 0)
            places.append((at, place))
        elif not is_buffer(place.last) and _moves(subject, place, inputs):
            where = order.setdefault(_shortened(place, target.object).steps[:-1], len(order))
            at = len(listed) + 10 * where + rank(_named(place, target.object))
            places.append((at, place))
    places.sort(key=lambda found: found[0])  # those of one holder stay together
    return _under_names([place for _, place in places], target.object)


def _named(place: Place, source: Any) -> str:
    return _shortened(place, source).last


def _shortened(place: Place, source: Any) -> Place:
    """Of an object with value and grad its own name, instead of that of its value."""
    holder = place.holder(source)
    if len(place.steps) < 2 or isinstance(holder, (dict, list, tuple)):
        return place
    pair = is_value_and_gradient([s for s, _ in members(holder) if isinstance(s, str)])
    return Place(place.steps[:-1]) if pair and pair[0] == place.steps[-1] else place


def _under_names(places: Sequence[Place], source: Any) -> dict[str, Place]:
    found: dict[str, Place] = {}
    for place in places:
        name = _shortened(place, source).name
        if name in found:
            name = ".".join(str(s[0] if isinstance(s, tuple) else s) for s in place.steps)
        found[name] = place
    return found


def _lists_to_arrays(source: Any, inputs: Sequence[Any], manner: Manner) -> Any:
    """The object, or a copy whose lists of numbers are arrays, if forward gives the same by it."""
    places = [Place(steps) for steps, value in walk(source) if is_list_of_numbers(value)]
    lists = [
        p for p in places if not any(p.steps[: len(q.steps)] == q.steps != p.steps for q in places)
    ]
    changed, copied_whole = copy_of(source)
    if not lists or not copied_whole or isinstance(source, Layer):
        return source
    try:
        for place in lists:
            place.replace(changed, np.asarray(place.read(changed), np.float64))
        ys = [Subject(s, replace(manner)).forward([copied(x) for x in inputs]) for s in
              (source, changed)]  # fmt: skip
    except Exception:  # a list is not always as good as an array
        return source
    close = len(ys[0]) == len(ys[1]) and all(
        a.shape == b.shape and np.allclose(a, b, equal_nan=True) for a, b in zip(*ys, strict=True)
    )
    return changed if close else source


def _numbers_to_arrays(source: Any) -> Any:
    """The object, or a copy whose plain numbers in `params` are arrays that can be moved."""
    params = getattr(source, "params", None)
    numbers = (float, np.floating)
    if not isinstance(params, dict) or not any(isinstance(v, numbers) for v in params.values()):
        return source
    source = copy.deepcopy(source)
    for key, value in source.params.items():
        if isinstance(value, numbers):
            source.params[key] = np.asarray(value, np.float64)
    return source


def _moves(subject: Subject, place: Place, inputs: Sequence[Any]) -> bool:
    """Whether an array moves the output, and forward does not write to it itself."""
    moved = subject.fresh()
    array = np.asarray(place.read(moved.object))
    if not is_floating(array) or not array.size or array.size > 5_000_000:
        return False
    try:
        plain = subject.fresh()
        here = plain.forward([copied(x) for x in inputs])
        if not np.array_equal(np.asarray(place.read(plain.object)), array, equal_nan=True):
            return False
        size = spread(array) * np.random.default_rng(0).uniform(0.05, 0.1, array.shape)
        place.write(moved.object, array + size)
        there = moved.forward([copied(x) for x in inputs])
    except Exception:  # no place to move it to
        return False
    return len(here) == len(there) and any(
        a.shape != b.shape or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(here, there, strict=True)
    )


def numbers_with_gradients(subject: Subject, inputs: Sequence[Any]) -> dict[str, Place]:
    """Attributes that are plain numbers, and that backward leaves a gradient for."""
    used = subject.fresh()
    ys = used.forward([copied(x) for x in inputs])
    used.backward(used.draw_dys(np.random.default_rng(0), ys), inputs)
    found = {}
    for steps, value in walk(subject.object):
        place = Place(steps)
        if type(value) in (float, np.float64, np.float32) and isinstance(steps[-1], str):
            gradient = beside(used.object, place, exact=True)
            if isinstance(gradient, (float, np.floating, np.ndarray)) and np.size(gradient) == 1:
                found[place.name] = place
    return found


def known_by_name(place: Place) -> bool:
    """Whether an array without a gradient is a parameter whatever else."""
    return is_parameter(place.last)
