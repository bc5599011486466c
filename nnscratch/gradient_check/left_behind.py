"""Gradients that backward leaves on the object, beside the parameters or under names of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nnscratch.gradient_check.methods import Functions
from nnscratch.gradient_check.names import (
    DX,
    GRADS,
    GRADS_GETTERS,
    PARAMS_GETTERS,
    gradient_names,
    is_value_and_gradient,
    plain,
)
from nnscratch.gradient_check.places import LAYERS, Place, members

__all__ = ["MISSING", "Gradients", "beside", "completed", "dotted", "left_dx", "under"]

Gradients = dict[str, Any]


class MISSING:
    """Stands for a gradient that is not there."""


def dotted(grads: Mapping[Any, Any], before: str = "") -> dict[str, Any]:
    """All entries of nested mappings: grads["a"]["W"] is "a.W"."""
    found: dict[str, Any] = {}
    for key, value in grads.items():
        inner = dotted(value, f"{before}{key}.") if isinstance(value, Mapping) else {}
        found |= inner or {f"{before}{key}": value}
    return found


def completed(source: Any, places: Mapping[str, Place], found: Gradients) -> Gradients:
    """What was not returned may have been left on the object."""
    left = {
        name: beside(source, place) if found.get(name, MISSING) is MISSING else found[name]
        for name, place in places.items()
    }
    told = _from_getters(source) if any(g is MISSING for g in left.values()) else []
    for name, place in places.items():
        if left[name] is MISSING:
            array = place.read(source)
            left[name] = next((g for p, g in told if p is array), MISSING)
    return left


def _from_getters(source: Any) -> list[tuple[Any, Any]]:
    """(parameter, gradient) as methods or properties such as get_params, get_grads list them."""
    params = _got(source, PARAMS_GETTERS)
    grads = _got(source, GRADS_GETTERS)
    if isinstance(params, Mapping) and isinstance(grads, Mapping):
        whole = dotted(grads)
        return [(array, under(whole, str(key), str(key))) for key, array in params.items()]
    if isinstance(params, (list, tuple)) and isinstance(grads, (list, tuple)):
        return list(zip(params, grads, strict=False)) if len(params) == len(grads) else []
    return []


def _got(source: Any, getters: Sequence[str]) -> Any:
    """What the first of these gives; None where none is there."""
    for getter in getters:
        try:
            found = getattr(source, getter, None)
            found = found() if callable(found) else found
        except Exception:  # it wants arguments
            continue
        if found is not None:
            return found
    return None


def under(grads: Mapping[str, Any], last: str, whole: str) -> Any:
    """The gradient of a parameter in a mapping: under its own name, or one made of it."""
    exact = [form.format(own) for form in ("{}", "d{}", "d_{}", "grad_{}") for own in (whole, last)]
    for key in exact:  # C and c may be two
        if key in grads:
            return grads[key]
    by_name = {plain(key): key for key in grads}
    for name in (plain(whole), plain(last), *gradient_names(whole), *gradient_names(last)):
        if name in by_name:
            return grads[by_name[name]]
    return MISSING


def beside(source: Any, place: Place, exact: bool = False) -> Any:
    """The gradient that backward left near a parameter; MISSING where there is none.

    None where there is an attribute of the gradient's name that is None.
    """
    found: Any = MISSING
    for gradient in _candidates(source, place, exact):
        if gradient is not None:
            return gradient
        found = None
    return found


def _candidates(source: Any, place: Place, exact: bool) -> Iterator[Any]:
    steps = place.steps
    for i in range(len(steps) - 1, -1, -1):
        holder = Place(steps[: i + 1]).holder(source)
        here = {k if isinstance(k, str) else k[0]: v for k, v in members(holder)}
        names = {k: v for k, v in here.items() if isinstance(k, str)}
        owner = i == len(steps) - 1
        if owner and i and not isinstance(holder, (Mapping, list, tuple)):
            pair = is_value_and_gradient(names)
            if pair is not None and pair[0] == steps[-1]:
                yield names[pair[1]]
        yield from _named(names, place, exact)
        yield from _in_grads(names, place, i)
        if _is_object(holder):
            break
    if isinstance(source, Functions) and source.layer is not None and steps[0] == "params":
        names = {k: v for k, v in members(source.layer) if isinstance(k, str)}
        yield from _named(names, place, exact)
        yield from _in_grads(names, place, 0)


def _is_object(holder: Any) -> bool:
    return not isinstance(holder, (Mapping, list, tuple))


def _named(names: Mapping[str, Any], place: Place, exact: bool) -> Iterator[Any]:
    by_name = {plain(key): value for key, value in names.items() if key != place.last}
    last = place.steps[-1]
    if isinstance(last, tuple) and not isinstance(last[0], str):
        return
    for name in gradient_names(place.last, exact):
        if name in by_name and not callable(by_name[name]):
            yield by_name[name]


def _in_grads(names: Mapping[str, Any], place: Place, i: int) -> Iterator[Any]:
    """In a mapping or a list of gradients beside the parameters."""
    last = place.steps[-1]
    key = last[0] if isinstance(last, tuple) else last
    for holder in GRADS:
        grads = names.get(holder)
        if isinstance(grads, Mapping) and isinstance(key, str):
            found = under({str(k): v for k, v in grads.items()}, key, place.name)
            if found is not MISSING:
                yield found
        elif isinstance(grads, (list, tuple)):
            index = key if not isinstance(key, str) else _index(names, key)
            if isinstance(index, int) and index < len(grads):
                yield grads[index]


def _index(names: Mapping[str, Any], key: str) -> int | None:
    """Where an attribute's array stands in the list of parameters."""
    for holder in ("params", "parameters", "weights", "_params"):
        params = names.get(holder)
        if isinstance(params, (list, tuple)):
            return next((i for i, p in enumerate(params) if p is names.get(key)), None)
    return None


def left_dx(source: Any) -> Any:
    """dx as an attribute."""
    names = {k: v for k, v in members(source) if isinstance(k, str)}
    by_name = {plain(key): value for key, value in names.items()}
    found = [by_name[name] for name in DX if by_name.get(name) is not None]
    if found:
        return found[0]
    layers = next((names[k] for k in LAYERS if isinstance(names.get(k), (list, tuple))), None)
    return left_dx(layers[0]) if layers else MISSING
