"""How objects hand over their gradients: the conventions that are understood.

    dx, grads = layer.backward(dy)       ours: grads a dict with the keys of layer.params
    dx, dw, db = layer.backward(dy)      CS231n: in the order of params
    dx, [dw, db] = layer.backward(dy)
    dx = layer.backward(dy)              CMU mytorch: layer.dLdW, layer.dLdb are left behind

or beside the parameter, in an object with value and grad, or in a dict or list of gradients
(`left_behind`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check.left_behind import (
    MISSING,
    Gradients,
    completed,
    dotted,
    left_dx,
    under,
)
from nnscratch.gradient_check.names import DX, plain
from nnscratch.gradient_check.places import Place, holds, is_floating, members

__all__ = ["Gradients", "dx_names", "first_floating", "flattened", "handed_over"]


def first_floating(inputs: Sequence[Any]) -> int:
    """Which input is the first of floating numbers; 0 where none is."""
    return next((i for i, x in enumerate(inputs) if is_floating(x)), 0)


def dx_names(inputs: Sequence[Any], is_loss: bool) -> list[str]:
    """ "dx" for one input, "dx[0]", "dx[1]", ... for several; a loss has one.

    Examples
    --------
    >>> dx_names([np.array([2, 0]), np.ones((2, 3))], is_loss=True)  # labels come first
    ['dx[1]']
    """
    if is_loss and (prediction := first_floating(inputs)):
        return [f"dx[{prediction}]"]
    if is_loss or len(inputs) == 1:
        return ["dx"]
    return [f"dx[{i}]" for i in range(len(inputs))]


def handed_over(
    source: Any,
    returned: Any,
    names: list[str],
    places: Mapping[str, Place],
    has: Sequence[bool],
    dx_last: bool = False,
    called: Sequence[str] = (),
) -> Gradients:
    """What `backward` returned or left behind, under the names of the report.

    Parameters
    ----------
    names : list of str
        Of the gradients by the inputs.
    places : mapping of str to Place
        Of the parameters, in the order in which they are returned.
    has : sequence of bool
        Which inputs have a gradient at all: arrays of floating numbers.
    dx_last : bool
        Whether of several inputs the gradient by the first is returned last.
    called : sequence of str
        What forward calls its inputs.
    """
    if dx_last and isinstance(returned, (tuple, list)) and len(returned) > 1:
        returned = [returned[-1], *returned[:-1]]
    returned = _with_mappings(returned)
    if isinstance(returned, Mapping):
        whole = dotted(returned)
        by_input = _by_input(whole, names, called, has)
        found = {name: under(whole, place.last, name) for name, place in places.items()}
        return by_input | completed(source, places, found)
    if isinstance(returned, (tuple, list)):
        return _sequence(source, list(returned), names, places, has)
    if returned is None and len(names) == 1:
        left = left_dx(source)
        returned = None if left is MISSING else left
    return _inputs(names, returned, has) | completed(source, places, {})


def _with_mappings(returned: Any) -> Any:
    """What was returned, an object that holds gradients as the mapping of its attributes."""
    if isinstance(returned, (tuple, list)):
        return type(returned)(map(_with_mappings, returned)) if type(returned) in (
            tuple, list) else returned  # fmt: skip
    if isinstance(returned, (Mapping, np.ndarray, np.generic)) or not holds(returned):
        return returned
    held = {k: v for k, v in members(returned) if isinstance(k, str)}
    return held if any(map(is_floating, held.values())) else returned


def _by_input(
    whole: dict[str, Any], names: list[str], called: Sequence[str], has: Sequence[bool]
) -> Gradients:
    """The gradients by the inputs in a mapping, under the names that forward gives these."""
    told = zip(names, called, strict=True) if len(names) == len(called) > 1 else ()
    found = {name: under(whole, own, own) for name, own in told}
    dx = next((whole.pop(k) for k in list(whole) if k == "x" or plain(k) in DX), MISSING)
    if all(gradient is MISSING for gradient in found.values()):
        return _inputs(names, dx, has)
    if found[names[0]] is MISSING:
        found[names[0]] = dx
    return {name: found[name] if has[i] else None for i, name in enumerate(names)}


def _sequence(
    source: Any, parts: list[Any], names: list[str], places: Mapping[str, Place],
    has: Sequence[bool],
) -> Gradients:  # fmt: skip
    mappings = [part for part in parts if isinstance(part, Mapping)]
    if len(mappings) == 1 and len(parts) > 1:
        dx = [part for part in parts if not isinstance(part, Mapping)]
        whole = dotted(mappings[0])
        found = {name: under(whole, place.last, name) for name, place in places.items()}
        by_input = _inputs(names, dx[0] if len(dx) == 1 else dx, has)
        return by_input | (completed(source, places, found) if places else {})
    complete = len(parts) == len(names) + len(places)
    leaves = parts if complete else _gradients_in(parts)
    shapes = [np.shape(place.read(source)) for place in places.values()]
    pairs = len(parts) > 1 and all(isinstance(part, (tuple, list)) for part in parts)
    if pairs and len(leaves) == len(places) and [np.shape(x) for x in leaves] == shapes:
        return _inputs(names, MISSING, has) | dict(zip(places, leaves, strict=True))
    count = sum(has) if sum(has) and len(names) > 1 else len(names)
    short = len(leaves) == len(names) and len(leaves) < count + len(places)
    without = [leaf for leaf, floating in zip(leaves, has, strict=False) if not floating]
    told = len(names) > 1 and bool(without) and all(leaf is None for leaf in without)
    if short or told or len(leaves) >= len(names) + len(places):
        count = len(names)
    if _dx_is_last(source, leaves, count, places):
        leaves = leaves[-count:] + leaves[:-count]
    dx, rest = leaves[:count], leaves[count:]
    while rest and (rest[-1] is None or _empty(rest[-1])) and len(rest) > len(places):
        rest.pop()
    if rest and not places and all(_empty(part) for part in rest):
        rest = []
    found = _inputs(names, dx if len(names) > 1 else (dx[0] if dx else None), has)
    if not rest:
        return found | completed(source, places, {})
    params = dict(zip(places, rest, strict=False))
    extra = {f"gradient {i}": g for i, g in enumerate(rest[len(places) :], len(places) + 1)}
    return found | dict.fromkeys(places, MISSING) | params | extra


def _empty(part: Any) -> bool:
    return isinstance(part, (list, tuple, dict)) and not part


def _gradients_in(parts: Sequence[Any]) -> list[Any]:
    """The gradients in nested tuples and lists, one after the other."""
    leaves: list[Any] = []
    for part in parts:
        nested = isinstance(part, (tuple, list)) and any(
            isinstance(p, (np.ndarray, tuple, list)) for p in part
        )
        leaves += _gradients_in(part) if nested else [part]
    return leaves


def flattened(value: Any) -> list[Any]:
    """The arrays and numbers in nested tuples and lists, one after the other."""
    if isinstance(value, (tuple, list)):
        return [leaf for part in value for leaf in flattened(part)]
    return [value]


def _dx_is_last(source: Any, leaves: list[Any], count: int, places: Mapping[str, Place]) -> bool:
    """Whether the gradients of parameters come first, as their shapes say."""
    shapes = [np.shape(place.read(source)) for place in places.values()]
    if not shapes or len(leaves) != count + len(shapes):
        return False
    try:
        found = [np.shape(leaf) for leaf in leaves]
    except ValueError:
        return False
    return found[: len(shapes)] == shapes and found[count:] != shapes


def _inputs(names: list[str], dx: Any, has: Sequence[bool]) -> Gradients:
    if len(names) == 1:
        return {names[0]: dx}
    floats = [name for name, floating in zip(names, has, strict=True) if floating]
    if not isinstance(dx, (tuple, list)):
        dx = [dx]
    nested = len(dx) != len(names) and any(isinstance(d, (tuple, list)) for d in dx)
    dx = flattened(dx) if nested else list(dx)
    keys = names if len(dx) == len(names) else floats
    none = {name: MISSING if floating else None for name, floating in zip(names, has, strict=True)}
    return none | dict(zip(keys, dx, strict=False))
