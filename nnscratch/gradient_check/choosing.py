"""Which way of calling an object is the right one, and where it leaves its gradients.

A convention is never a mistake: of the ways that names allow, that counts by which the gradients
are right. Only where none is, the likeliest is taken, and judged.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.calling import modes
from nnscratch.gradient_check.discovery import discover, known_by_name, numbers_with_gradients
from nnscratch.gradient_check.draws import Draw, copied, is_float, run
from nnscratch.gradient_check.examination import Examination
from nnscratch.gradient_check.gradients import MISSING
from nnscratch.gradient_check.methods import CLEARING, Functions, methods_of, parameters
from nnscratch.gradient_check.names import RATES, TARGETS, is_buffer, is_dy, plain
from nnscratch.gradient_check.places import Place, is_floating, walk
from nnscratch.gradient_check.probes import alike, is_number
from nnscratch.gradient_check.subject import NotUnderstood, Subject, loss_among
from nnscratch.layers.base import Layer
from nnscratch.losses.base import Loss

__all__ = [
    "ADAPTER",
    "absent",
    "choose",
    "dx_before_update",
    "local_derivative",
    "no_dy",
    "refused",
    "told_by_name",
]

ADAPTER = """\
    class Adapted:
        def forward(self, *inputs): return {forward}
        def backward(self, dy): return {backward}"""


def refused(source: Any, inputs: Sequence[Any]) -> str:
    """Why an object cannot be checked at all; "" where it can."""
    methods = methods_of(source)
    if methods is None:
        lacking = [n for n in ("forward", "backward") if not callable(getattr(source, n, None))]
        return f"without {' and '.join(lacking)}"
    forward = getattr(source, methods[0])
    try:
        signature = inspect.signature(forward)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*inputs)
    except TypeError as error:
        return f"whose forward takes {signature}: {error}; pass its inputs in this order"
    return ""


def choose(
    source: Any, inputs: Sequence[Any], structure: list[Any], dy: Any, seed: int
) -> tuple[Subject, Draw]:
    """The object used the right way, and the caller's own numbers run through it.

    Raises
    ------
    NotUnderstood
        There is no way to call backward.
    Exception
        Whatever forward or backward raises; `stage` of it says which.
    """
    failure: Exception | None = None
    forward = getattr(source, (methods_of(source) or ("forward",))[0])
    for options, clearing in [*((m, True) for m in modes(forward, len(structure))), ({}, False)]:
        if not clearing and not any(callable(getattr(source, n, None)) for n in CLEARING):
            continue
        found, error = _first_right(source, inputs, structure, dy, seed, options, clearing)
        if found is not None:
            return found
        failure = failure or error
    if failure is None:
        raise NotUnderstood(_unknown_arguments(source))
    raise failure


Chosen = tuple[Subject, Draw]


def _first_right(
    source: Any, inputs: Sequence[Any], structure: list[Any], dy: Any, seed: int,
    options: dict[str, bool], clearing: bool,
) -> tuple[Chosen | None, Exception | None]:  # fmt: skip
    """Of all ways the first by which the gradients are right, or the first that gets through."""
    first: Chosen | None = None
    failure: Exception | None = None
    ways = list(_staged(source, inputs, structure, options, clearing))
    for subject in ways:
        try:
            draw = run(subject, inputs, np.random.default_rng(seed), dy=dy)
            draw = _complete(subject, inputs, draw, dy, seed)
        except Exception as error:
            error.stage = "backward"  # type: ignore[attr-defined]  # for the message
            failure = error
            continue
        call = subject.manner.call
        others = [way for way in ways if not way.manner.call.dx_last]
        alone = len(others) == 1 and not call.guessed and (len(ways) == 1 or _settled(draw))
        if alone or _right(draw):
            return (subject, draw), None
        if not call.guessed or any(_right(replace(draw, got={n: g})) for n, g in draw.got.items()):
            first = _likelier(first, (subject, draw))
    return first, failure


def _likelier(first: Chosen | None, other: Chosen) -> Chosen:
    """Of two ways by which something is wrong the first, unless only the other's shapes fit."""
    if first is None or (other[0].manner.call.dx_last and not _fits(first[1]) and _fits(other[1])):
        return other
    return first


def _by_inputs(draw: Draw) -> list[str]:
    return [n for n in draw.got if n not in draw.params and is_float(draw.array(n))]


def _fits(draw: Draw) -> bool:
    """Whether every gradient by an input has its shape."""
    got = {n: draw.got[n] for n in _by_inputs(draw)}
    return all(is_number(g) and np.shape(g) == np.shape(draw.array(n)) for n, g in got.items())


def _settled(draw: Draw) -> bool:
    """Whether the shapes leave one order of the gradients."""
    shapes = [np.shape(draw.array(n)) for n in _by_inputs(draw)]
    return _fits(draw) and len(set(shapes)) == len(shapes)


def _staged(
    source: Any, inputs: Sequence[Any], structure: list[Any], options: dict[str, bool],
    clearing: bool,
) -> Iterator[Subject]:  # fmt: skip
    try:
        yield from discover(source, inputs, structure, options, clearing)
    except Exception as error:
        error.stage = "forward"  # type: ignore[attr-defined]  # for the message
        raise


def _unknown_arguments(source: Any) -> str:
    backward = getattr(source, (methods_of(source) or ("", "backward"))[1])
    return (
        f"not understood: backward{inspect.signature(backward)} takes arguments that are neither "
        "dy, nor inputs, nor a cache. Adapt it:\n"
        + ADAPTER.format(forward="layer.forward(*inputs)", backward="layer.backward(dy, ...)")
    )


def _right(draw: Draw) -> bool:
    """Whether every gradient agrees with the numeric one."""
    names = [n for n in draw.got if n in draw.params or n.startswith("dx")]
    names = [n for n in names if is_float(draw.array(n))]
    examined = Examination([draw], np.random.default_rng(0))
    return bool(names) and all(
        not examined.moves(n) if draw.got[n] is MISSING else examined.agrees_along(0, n)
        for n in names
    )


def _complete(subject: Subject, inputs: Sequence[Any], draw: Draw, dy: Any, seed: int) -> Draw:
    """Look for gradients that were not where gradients usually are."""
    if subject.ours or (isinstance(subject.object, Functions) and subject.object.params is None):
        return draw
    manner = subject.manner
    manner.places = manner.places | numbers_with_gradients(subject, inputs)
    _find_updates(subject, draw)
    if manner.places.keys() != draw.params.keys() or manner.trained:
        draw = run(subject, inputs, np.random.default_rng(seed), dy=dy)
    for name in [n for n in manner.places if draw.got.get(n, MISSING) is MISSING]:
        for place, array in unclear(subject, inputs, draw.params[name].shape, draw.dys):
            trial = replace(draw, got=draw.got | {name: array})
            if _right(replace(trial, got={name: array})):
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
    right = [t for t in trials if _right(replace(t[1], got={"dx": t[1].got["dx"]}))]
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


def dx_before_update(subject: Subject, draw: Draw) -> dict[str, Any]:
    """The gradients by the inputs where backward changes no parameter: at rate 0."""
    still = subject.fresh()
    still.manner = replace(subject.manner, rate=0.0, updates={}, trained=set())
    for steps, value in list(walk(still.object)):
        if isinstance(steps[-1], str) and plain(steps[-1]) in RATES and isinstance(value, float):
            Place(steps).replace(still.object, 0.0)
    still.forward([copied(x) for x in draw.inputs])
    got = still.backward([dy.copy() for dy in draw.dys], draw.inputs)
    return {name: gradient for name, gradient in got.items() if name.startswith("dx")}


def told_by_name(source: Any) -> bool:
    """Whether an argument of backward is a gradient by its name, or it has one for any name."""
    methods = methods_of(source)
    taken = parameters(getattr(source, methods[1])) if methods else None
    if taken is None or isinstance(source, (Layer, Loss)):
        return True
    required = [p.name for p in taken if p.default is p.empty]
    return not required or any(map(is_dy, required)) or plain(required[0]) not in TARGETS


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


def absent(subject: Subject, name: str, draw: Draw) -> str:
    """Why a parameter's gradient may be nowhere though nothing is wrong; "" where it may not."""
    if draw.got[name] is not MISSING or subject.ours:
        return ""
    if name not in draw.params:
        whole = draw.params and not subject.takes_dy
        return "backward gives the gradients of the parameters alone" if whole else ""
    manner = subject.manner
    if is_buffer(manner.places[name].last):
        return "keep it apart from the parameters"
    passed = isinstance(subject.object, Functions) and subject.object.params is not None
    if passed and all(draw.got.get(n, MISSING) is MISSING for n in manner.places):
        return "backward hands over no gradients of what the mapping holds"
    if name in manner.trained:
        return "backward changes it itself, by a rule that is no plain step of descent"
    near = unclear(subject, draw.inputs, draw.params[name].shape, draw.dys)
    if arrays := [place.name for place, _ in near]:
        return f"self.{arrays[0]} changes in backward and has its shape, but is not its gradient"
    if name in manner.listed or known_by_name(manner.places[name]):
        return ""
    return "it moves y, and backward leaves nothing of its shape behind"


def no_dy(subject: Subject, draw: Draw) -> bool:
    """Whether backward takes no dy though the output is more than a loss."""
    if subject.takes_dy:
        return False
    x, y = draw.inputs[0], draw.ys[loss_among(draw.ys)]
    per_sample = np.ndim(x) > 1 or len(draw.inputs) > 1
    return not (y.size == 1 or (per_sample and y.size == len(x)))


def local_derivative(subject: Subject, draw: Draw) -> bool:
    """Whether what backward takes is no dy, as its name leaves open and its result shows."""
    if subject.ours or not subject.takes_dy:
        return False
    taken = parameters(getattr(subject.object, subject.methods[1]))
    at = [i for i, (kind, _) in enumerate(subject.manner.call.arguments) if kind in ("dy", "dys")]
    if not taken or not at or at[0] >= len(taken) or is_dy(taken[at[0]].name):
        return False
    twice = subject.fresh()
    twice.forward([copied(x) for x in draw.inputs])
    got = twice.backward([2 * dy for dy in draw.dys], draw.inputs)
    names = [n for n in draw.got if n.startswith("dx") and n not in draw.params]
    names = [n for n in names if is_float(draw.got[n])] or list(draw.got)
    once = {n: draw.got[n] for n in names if is_float(draw.got[n]) and is_float(got.get(n))}
    return any(not alike(got[n], 2 * once[n]) for n in once)
