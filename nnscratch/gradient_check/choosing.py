"""Which way of calling an object is the right one, and where it leaves its gradients.

A convention is never a mistake: of the ways that names allow, that counts by which the gradients
are right. Only where none is, the likeliest is taken, and judged.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.calling import modes
from nnscratch.gradient_check.completing import complete, is_right, unclear
from nnscratch.gradient_check.discovery import discover, known_by_name
from nnscratch.gradient_check.draws import Draw, copied, is_float, run
from nnscratch.gradient_check.left_behind import MISSING
from nnscratch.gradient_check.methods import CLEARING, Functions, methods_of, parameters
from nnscratch.gradient_check.names import RATES, TARGETS, is_buffer, is_dy, plain
from nnscratch.gradient_check.places import Place, walk
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
    source: Any,
    inputs: Sequence[Any],
    structure: list[Any],
    dy: Any,
    seed: int,
    target_first: bool = False,
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
        found, error = _first_right(
            source, inputs, structure, dy, seed, options, clearing, target_first
        )
        if found is not None:
            return found
        failure = failure or error
    if failure is None:
        raise NotUnderstood(_unknown_arguments(source))
    raise failure


Chosen = tuple[Subject, Draw]


def _first_right(
    source: Any, inputs: Sequence[Any], structure: list[Any], dy: Any, seed: int,
    options: dict[str, bool], clearing: bool, target_first: bool,
) -> tuple[Chosen | None, Exception | None]:  # fmt: skip
    """Of all ways the first by which the gradients are right, or the first that gets through."""
    first: Chosen | None = None
    failure: Exception | None = None
    ways = list(_staged(source, inputs, structure, options, clearing, target_first))
    for subject in ways:
        try:
            draw = run(subject, inputs, np.random.default_rng(seed), dy=dy)
            draw = complete(subject, inputs, draw, dy, seed)
        except Exception as error:
            error.stage = "backward"  # type: ignore[attr-defined]  # for the message
            failure = error
            continue
        call = subject.manner.call
        others = [way for way in ways if not way.manner.call.dx_last]
        alone = len(others) == 1 and not call.guessed and (len(ways) == 1 or _settled(draw))
        if alone or is_right(draw):
            return (subject, draw), None
        if not call.guessed or any(
            is_right(replace(draw, got={n: g})) for n, g in draw.got.items()
        ):
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
    clearing: bool, target_first: bool,
) -> Iterator[Subject]:  # fmt: skip
    try:
        yield from discover(source, inputs, structure, options, clearing, target_first)
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


def absent(subject: Subject, name: str, draw: Draw) -> str:
    """Why a parameter's gradient may be nowhere though nothing is wrong; "" where it may not."""
    manner = subject.manner
    nowhere = draw.got[name] is MISSING or (draw.got[name] is None and manner.trained)
    if not nowhere or subject.ours:
        return ""
    if name not in draw.params:
        if manner.trained:
            return "backward trains its parameters and returns nothing"
        owners = {place.steps[:-1] for place in subject.manner.places.values()}
        whole = draw.params and (not subject.takes_dy or len(owners) > 1)
        return "backward gives the gradients of the parameters alone" if whole else ""
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
    if not draw.params.keys().isdisjoint(subject.manner.trained):
        steps = {n: draw.subject.params[n] - draw.params[n] for n in subject.manner.trained}
        doubled = {n: twice.params[n] - draw.params[n] for n in steps}
        if not any(is_float(draw.got.get(n)) for n in names):
            return any(not alike(doubled[n], 2 * steps[n]) for n in steps)
    once = {n: draw.got[n] for n in names if is_float(draw.got[n]) and is_float(got.get(n))}
    return any(not alike(got[n], 2 * once[n]) for n in once)
