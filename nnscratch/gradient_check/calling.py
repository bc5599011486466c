"""How the passes are called: with what arguments, and what of the returned things is what.

Signatures are read by the names of their parameters, where these say something: `dout`, `grad`,
`dLdZ` are gradients; `cache`, `ctx` is what forward returned beside its outputs; a name that
forward has too is that input; `lr`, `learning_rate` is a rate. Where names leave several ways,
all of them are listed, likely ones first, and the check takes the first by which the gradients
are right, or the first at all.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nnscratch.gradient_check.copies import is_list_of_numbers
from nnscratch.gradient_check.methods import parameters
from nnscratch.gradient_check.names import (
    INPUTS,
    OUTPUTS,
    PENALTIES,
    RATES,
    is_cache,
    is_dy,
    is_input_again,
    is_parameter,
    plain,
    rank,
)

__all__ = [
    "Call",
    "follows",
    "is_array",
    "modes",
    "ways",
]

TRAINING = ("training", "train", "istraining", "istrain", "trainflg", "trainmode")


@dataclass(frozen=True)
class Call:
    """One way to read what forward returns, and to call backward.

    Attributes
    ----------
    outputs : int or None
        How many of the returned arrays are outputs, the others being a cache; None for all.
    cached : int
        Which of the returned things is a cache; 0 for none.
    start : int
        Which of the returned things is the first output.
    arguments : tuple of (str, int)
        ("dy", i) of the i-th output, ("dys", 0) all in a tuple, ("input", i), ("output", 0),
        ("cache", 0), ("rate", 0), ("penalty", 0) which is none, ("returned", i) of what else
        forward returned.
    dy : str
        "given", or what backward assumes where it takes none: "ones", "mean".
    dx_last : bool
        Whether of several inputs the gradient by the first is returned last: dW, db, dx.
    guessed : bool
        Whether an argument of backward was given an input that no name tells: then the gradients
        tell, of which at least one must be right.
    """

    outputs: int | None = None
    cached: int = 0
    start: int = 0
    arguments: tuple[tuple[str, int], ...] = (("dy", 0),)
    dy: str = "given"
    dx_last: bool = False
    guessed: bool = False

    @property
    def takes_dy(self) -> bool:
        return any(kind in ("dy", "dys") for kind, _ in self.arguments)


def modes(forward: Callable[..., Any], given: int) -> list[dict[str, bool]]:
    """The options of forward to try: none, then training where that is not its default."""
    names = [p.name for p in (parameters(forward) or ())[given:] if p.default is False]
    return [{}, *({name: True} for name in names if plain(name) in TRAINING)]


def ways(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    returned: Any,
    ours: bool,
    passed: int | None = None,
    target_first: bool = False,
) -> list[Call]:
    """The ways to call backward after a forward that returned this, likely ones first.

    `passed` is how many arguments forward was given; those beyond have defaults of their own.
    With `target_first` the inputs are kept in the other order than forward takes them.

    Examples
    --------
    >>> def forward(x, w): return x @ w, (x, w)
    >>> def backward(dout, cache): ...
    >>> ways(forward, backward, (np.zeros(3), (1, 2)), ours=False)[0].arguments
    (('dy', 0), ('cache', 0))
    """
    functions = not hasattr(backward, "__self__")
    names = [plain(p.name) for p in parameters(forward) or ()]
    if target_first:
        names[:2] = names[1::-1]
    inputs = names[:passed], names[passed:] if passed is not None else []
    found = list(_with_preactivation(inputs[0], parameters(backward) or (), returned))
    for outputs, cached in _readings(returned, parameters(backward), ours, functions):
        count = outputs if outputs is not None else _count(returned)
        for arguments, dy in _arguments(inputs, backward, count, cached, ours):
            guessed = ("guess", 0) in arguments
            arguments = tuple(a for a in arguments if a != ("guess", 0))
            found.append(Call(outputs, cached, 0, arguments, dy, guessed=guessed))
    if not ours and len(inputs[0]) > 1 and all(map(follows, inputs[0][1:])):
        found += [replace(call, dx_last=True) for call in found]
    return list(dict.fromkeys(found))


def follows(name: str) -> bool:
    """Whether an input of forward is a parameter by its name: x, w, b."""
    return rank(name) != 1 or is_parameter(name) or name == "k"


def _readings(
    returned: Any, backward: list[inspect.Parameter] | None, ours: bool, functions: bool
) -> Iterator[tuple[int | None, int]]:
    """(how many outputs, which is a cache) of what forward returned."""
    if ours or not isinstance(returned, tuple):
        yield None, 0
        return
    names = [p.name for p in backward or ()]
    last = returned[-1] if returned else None
    wants = any(is_cache(name) for name in names) or (functions and len(names) > 1)
    if len(returned) > 1 and (wants or not _is_output(last)):
        caches = [i for i, part in enumerate(returned) if i and not is_array(part)]
        cache = caches[0] if caches else len(returned) - 1
        dys = sum(map(is_dy, names))
        if not 1 < dys < cache:
            yield cache, cache
        if 0 < dys < cache:  # the others, such as a prediction, hand back nothing
            yield dys, cache
        return
    yield None, 0
    told = len(names) == len(returned) and all(map(is_dy, names))
    if len(returned) > 1 and not told:
        if len(names) == len(returned):
            yield len(returned) - 1, len(returned) - 1
        yield 1, 0


def _with_preactivation(
    inputs: Sequence[str], backward: Sequence[inspect.Parameter], returned: Any
) -> Iterator[Call]:
    """Of a forward that returns Z and A the ways in which one is y, and backward takes both."""
    two = isinstance(returned, tuple) and len(returned) == 2 and all(map(is_array, returned))
    if not two or np.shape(returned[0]) != np.shape(returned[1]):
        return
    rest = [i for i, name in enumerate(inputs) if name not in {plain(p.name) for p in backward}]
    kinds: list[str] = []
    arguments: list[tuple[str, int]] = []
    for name in [plain(p.name) for p in backward if p.default is p.empty]:
        if name in inputs:
            arguments.append(("input", inputs.index(name)))
        elif is_dy(name):
            arguments.append(("dy", 0))
        elif rest and is_input_again(name):
            arguments.append(("input", rest.pop(0)))
        else:
            arguments.append(("returned", 1))
        kinds.append(arguments[-1][0])
    if kinds.count("dy") == kinds.count("returned") == 1:
        mask = any("mask" in plain(p.name) for p in backward)
        for y in (0,) if mask else (0, 1):
            given = tuple((k, 1 - y) if k == "returned" else (k, i) for k, i in arguments)
            yield Call(1, 0, y, given, guessed=not mask)


def is_array(value: Any) -> bool:
    """Whether it is an output by its kind."""
    return isinstance(value, np.ndarray) or (_is_output(value) and not isinstance(value, tuple))


def _is_output(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return bool(value) and all(_is_output(v) for v in value)
    return isinstance(value, (float, np.floating)) or (
        isinstance(value, np.ndarray) and value.dtype.kind == "f"
    )


def _count(returned: Any) -> int:
    several = isinstance(returned, (tuple, list)) and not is_list_of_numbers(returned)
    return len(returned) if several else 1


def _arguments(
    names: tuple[list[str], list[str]],
    backward: Callable[..., Any],
    count: int,
    cached: int,
    ours: bool,
) -> Iterator[tuple[tuple[tuple[str, int], ...], str]]:
    taken = parameters(backward)
    dys = ("dys", 0) if count > 1 else ("dy", 0)
    if ours or taken is None:
        yield ((dys, ("cache", 0)) if cached else (dys,)), "given"
        return
    inputs, defaults = names
    first = _named(taken, inputs, defaults, count, cached)
    if first is not None:
        yield first, "given"
    required = [p for p in taken if p.default is p.empty]
    if count > 1 and len(required) == 1 and not cached:
        yield (("dys", 0),), "given"
    if required and len(required) <= 1 + bool(cached):  # by place, whatever the names
        by_place = (dys, ("cache", 0)) if cached and len(taken) > 1 else (dys,)
        yield by_place, "given"
    if len(required) == 2 and not cached:
        yield (("input", 0), dys), "given"
        yield (("output", 0), dys), "given"
    bare = tuple(a for a in first or () if a[0] not in ("dy", "dys"))
    if not required or (first is not None and first[: len(required)] == bare[: len(required)]):
        without = bare if first is not None and len(bare) >= len(required) else ()
        if len(without) >= len(required):
            yield without, "mean"
            yield without, "ones"
    if required and _are_inputs(required, inputs):
        given = tuple(("input", min(i, len(inputs) - 1)) for i in range(len(required)))
        yield given, "mean"
        yield given, "ones"


def _are_inputs(required: Sequence[inspect.Parameter], inputs: Sequence[str]) -> bool:
    """Whether backward takes as many things as forward: a loss that is told both again.

    By the same names they are known already.
    """
    same = {plain(p.name) for p in required} == set(inputs)
    return len(required) == len(inputs) == 2 and not same


def _named(
    taken: Sequence[inspect.Parameter],
    inputs: Sequence[str],
    defaults: Sequence[str],
    count: int,
    cached: int,
) -> tuple[tuple[str, int], ...] | None:
    """Every parameter by its name; None where a required one stays unknown.

    One that is unknown is the first input that has no name there, which is a guess.
    """
    found: list[tuple[str, int]] = []
    named = {plain(p.name) for p in taken}
    rest = [i for i, name in enumerate(inputs) if name not in named]
    told = any(is_cache(p.name) for p in taken)
    dys = 0
    for i, p in enumerate(taken):
        name, optional = plain(p.name), p.default is not p.empty
        last = not told and not optional and i == len(taken) - 1 and i > 0
        if cached and (is_cache(p.name) or last):
            found.append(("cache", 0))
        elif name in inputs and (len(taken) > 1 or len(inputs) > 1):
            found.append(("input", inputs.index(name)))
        elif optional and name in defaults:
            break  # forward had its default too
        elif name in RATES:
            found.append(("rate", 0))
        elif name in PENALTIES:
            found.append(("penalty", 0))
        elif is_dy(p.name) and dys < count:
            found.append(("dy", dys))
            dys += 1
        elif optional:
            break
        elif name in INPUTS and len(taken) > 1 and inputs and i == 0:
            found.append(("input", 0))
        elif dys + sum(is_dy(p.name) for p in taken[i:]) < count:
            found.append(("dy", dys))
            dys += 1
        elif name in OUTPUTS:
            found.append(("output", 0))
        elif rest and dys == count and is_input_again(name) and not cached:
            found.append(("input", rest.pop(0)))
        elif rest and dys == count and len(inputs) > 1 and not cached:
            found += [("input", rest.pop(0)), ("guess", 0)]
        else:
            return None
    if count > 1 and dys == 1:  # one argument for all outputs
        found = [("dys", 0) if a == ("dy", 0) else a for a in found]
    return tuple(found)
