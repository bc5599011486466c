"""Probes of state: what a gradient may not depend on, and what a pass may not touch.

Each probe yields (array, code, what exactly) for what it finds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check.draws import (
    Draw,
    copied,
    halved,
    is_float,
    redrawn,
    run,
    weights,
    write,
)
from nnscratch.gradient_check.gradients import Gradients
from nnscratch.gradient_check.subject import Subject, same

Found = tuple[str, str, str]


def repeated_forward(source: Subject, inputs: Sequence[Any]) -> bool:
    """Whether two forward calls on one input give one output, random draws set back."""
    first = [y.copy() for y in source.fresh().forward([copied(x) for x in inputs])]
    return same(first, source.fresh().forward([copied(x) for x in inputs]))


def written_to(draw: Draw) -> Iterator[Found]:
    """Inputs, dy and parameters are for reading."""
    subject = draw.subject.fresh()
    write(subject, draw.params)
    inputs, dys = [copied(x) for x in draw.inputs], [dy.copy() for dy in draw.dys]
    before = {name: array.copy() for name, array in subject.params.items()}

    def changes(stage: str) -> Iterator[Found]:
        for i, (x, kept) in enumerate(zip(inputs, draw.inputs, strict=True)):
            if isinstance(x, np.ndarray) and not same(x, kept):
                what = "x" if len(inputs) == 1 else f"input {i}"
                gradient = "dx" if f"dx[{i}]" not in draw.got else f"dx[{i}]"
                yield gradient, "mutated_input", f"{what} (by {stage})"
        now = subject.params
        for name, array in before.items():
            if not same(now.get(name), array) and name not in subject.manner.trained:
                yield name, "mutated_params", stage

    subject.forward(inputs)
    found = list(changes("forward"))
    if not found:
        subject.backward(dys, inputs)
        found = list(changes("backward"))
        if not same(dys, draw.dys):
            found.append((next(iter(draw.got)), "mutated_dy", ""))
    yield from found


def second_backward(draw: Draw) -> Iterator[Found]:
    """backward may be called twice, with one result."""
    if draw.subject.manner.trained:
        return  # each call is a step of training
    subject = draw.subject.fresh()
    write(subject, draw.params)
    subject.forward([copied(x) for x in draw.inputs])
    dys = [dy.copy() for dy in draw.dys]
    first = {n: copied(g) for n, g in subject.backward(dys, draw.inputs).items()}
    try:
        second = subject.backward([dy.copy() for dy in draw.dys], draw.inputs)
    except Exception as error:
        if subject.ours:
            yield next(iter(first)), "second_backward", f"{type(error).__name__}: {error}"
        return
    for name, gradient in first.items():
        if not alike(second.get(name), gradient):
            doubled = is_number(gradient) and alike(second.get(name), 2 * np.asarray(gradient))
            if not (doubled and subject.clears and name in draw.params):
                yield name, "accumulated" if doubled else "second_backward", ""


def history(source: Subject, inputs: Sequence[Any], rng: np.random.Generator) -> Iterator[Found]:
    """Two calls, with other numbers and with half of the batch: the second knows no first."""
    first = run(source, inputs, rng)
    found: dict[str, Found] = {}
    other = [redrawn(rng, x) if is_float(x) else copied(x) for x in inputs]
    for others in (other, halved(inputs, weights(source, inputs))):
        if others is None:
            continue
        try:
            y = source.fresh().forward([copied(x) for x in others])
        except Exception:  # does not take half of the first axis
            continue
        try:
            alone = run(source, others, rng)
        except Exception as error:
            if all(np.isfinite(a).all() for a in y):
                shapes = ", ".join(str(a.shape) for a in y)
                words = f"backward raised {type(error).__name__}: {error}, for y of {shapes}"
                name = next(iter(first.got))
                found.setdefault(name, (name, "exception", words))
            continue
        for name, code, what in _second_call(first, alone):
            found.setdefault(name, (name, code, what))
    yield from found.values()


def _second_call(first: Draw, alone: Draw) -> Iterator[Found]:
    subject = first.subject.fresh()
    subject.forward([copied(x) for x in first.inputs])
    subject.backward([dy.copy() for dy in first.dys], first.inputs)
    write(subject, {name: first.params[name] for name in subject.manner.trained})
    try:
        y = [a.copy() for a in subject.forward([copied(x) for x in alone.inputs])]
        after = subject.backward([dy.copy() for dy in alone.dys], alone.inputs)
    except Exception as error:
        words = f"{type(error).__name__}: {error}"
        yield next(iter(alone.got)), "stale_cache", f"the second call raises {words}"
        return
    stale = _stale(first, alone)
    for name, gradient in alone.got.items():
        got = after.get(name)
        if alike(got, gradient) or _rounded(got, gradient):
            if not all(map(alike, y, alone.ys)) and name.startswith("dx"):
                yield name, "state_leak", "forward gives another y after an earlier call"
            continue
        previous = first.got.get(name)
        code = "state_leak"
        if is_number(got) and is_number(previous) and is_number(gradient):
            got, previous, gradient = np.asarray(got), np.asarray(previous), np.asarray(gradient)
            if previous.shape == gradient.shape and alike(got, previous + gradient):
                code = "accumulated"
            elif alike(got, stale.get(name)) or previous.shape == got.shape != gradient.shape:
                code = "stale_cache"
        yield name, code, ""


def _rounded(got: Any, gradient: Any) -> bool:
    """Whether two numbers are equal up to float32, and one of them is rounded to it."""
    if not (is_number(got) and is_number(gradient)) or np.shape(got) != np.shape(gradient):
        return False
    a, b = np.asarray(got, np.float64), np.asarray(gradient, np.float64)
    coarse = any(np.array_equal(x, x.astype(np.float32), equal_nan=True) for x in (a, b))
    scale = float(np.max(np.abs(b), initial=0))
    return coarse and bool(np.allclose(a, b, rtol=1e-5, atol=1e-6 * scale, equal_nan=True))


def _stale(first: Draw, alone: Draw) -> Gradients:
    """What comes out if backward knows the first input only; nothing for another batch size."""
    if [dy.shape for dy in first.dys] != [dy.shape for dy in alone.dys]:
        return {}
    subject = first.subject.fresh()
    subject.forward([copied(x) for x in first.inputs])
    return subject.backward([dy.copy() for dy in alone.dys], alone.inputs)


def large_inputs(source: Subject, inputs: Sequence[Any]) -> str | None:
    """Where 1000 x gives NaN or infinity though the true value is finite: "y" or "dx".

    The true value is asked of longdouble, whose exponent reaches further. Where an object does
    not compute in it, nothing is known, and nothing found.
    """

    def values(dtype: type) -> list[Any]:
        scaled = [1000 * np.asarray(x, dtype) if is_float(x) else copied(x) for x in inputs[:1]]
        subject = source.fresh()
        rest = [np.asarray(x, dtype) if is_float(x) else copied(x) for x in inputs[1:]]
        ys = [y.copy() for y in subject.forward([*scaled, *rest])]
        rng = np.random.default_rng(0)
        dys = [rng.uniform(0.5, 1.5, y.shape) for y in ys]
        return [ys[0], next(iter(subject.backward(dys, inputs).values()), None)]

    try:
        found = values(np.float64)
        if all(np.isfinite(a).all() for a in found if is_number(a)):
            return None
        exact = values(np.longdouble)
    except Exception:
        return None
    limit = np.finfo(np.float64).max
    for place, value, true in zip(("dx", "y"), found[::-1], exact[::-1], strict=True):
        if not (is_number(value) and is_number(true)):
            continue
        value, true = np.asarray(value), np.asarray(true)
        if true.dtype == np.longdouble and value.shape == true.shape:
            finite = np.isfinite(true) & (np.abs(true) < limit)
            if np.any(~np.isfinite(value) & finite):
                return place
    return None


def is_number(x: Any) -> bool:
    """Whether x is an array or a number that can be compared."""
    return isinstance(x, (np.ndarray, np.generic, int, float)) and np.asarray(x).dtype.kind in "fiu"


def alike(a: Any, b: Any) -> bool:
    """Equal up to rounding, as two runs of one computation are."""
    if not (is_number(a) and is_number(b)):
        return same(a, b) or not (is_number(a) or is_number(b))
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        return False
    if not a.size:
        return True
    with np.errstate(all="ignore"):
        scale = np.max(np.abs(b[np.isfinite(b)]), initial=0)
        return bool(np.allclose(a, b, rtol=1e-9, atol=1e-9 * float(scale), equal_nan=True))
