"""Where arrays are inside an object: found once, addressed on every copy.

An object of a stranger keeps its arrays in attributes, slots, dicts, lists, inner objects, or on
its class. A `Place` is the way from the object to one of them, so that the same array can be
read and written in a copy, whatever forward has put into its attributes meanwhile.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.layers.base import Layer

__all__ = ["HOLDERS", "Place", "holds", "is_floating", "members", "places_of", "walk"]

DEEP = 6  # steps into an object
MANY = 20_000  # things looked at: an object that holds a data set is not searched whole
# Attributes whose entries go by their own names: params["W"] is W
HOLDERS = ("params", "parameters", "param", "_params", "_parameters", "trainable", "learnable")
OURS = ("_params", "_buffers", "_form", "cache")  # of a Layer, and no part of what it computes
LAYERS = ("layers", "_layers", "modules", "_modules", "blocks", "operations", "steps")
PLAIN = (int, float, complex, str, bytes, bool, type(None), np.ndarray, np.generic)
OPAQUE = (
    type,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    np.dtype,
    np.ufunc,
)


@dataclass(frozen=True)
class Place:
    """The way to one array: attributes (as text) and items (as tuples of one key).

    Examples
    --------
    >>> class Layer:
    ...     def __init__(self):
    ...         self.weights = [np.zeros(3)]
    >>> [place] = places_of(Layer())
    >>> place.name, place.read(Layer())
    ('weights[0]', array([0., 0., 0.]))
    """

    steps: tuple[Any, ...]

    def holder(self, source: Any) -> Any:
        """What the last step starts from."""
        for step in self.steps[:-1]:
            source = _step(source, step)
        return source

    def read(self, source: Any) -> Any:
        """The array in an object that holds one there; None where it does not."""
        try:
            return _step(self.holder(source), self.steps[-1])
        except (AttributeError, KeyError, IndexError, TypeError):
            return None

    def write(self, source: Any, value: Any) -> None:
        """Put numbers there: into the array where there is one, so that aliases see them."""
        now = self.read(source)
        if isinstance(now, np.ndarray) and now.shape == np.shape(value) and now.flags.writeable:
            now[...] = value
        else:
            self.replace(source, value)

    def replace(self, source: Any, value: Any) -> None:
        """Put another object there."""
        holder, step = self.holder(source), self.steps[-1]
        if isinstance(now := self.read(source), (float, np.floating)) and np.ndim(value) == 0:
            value = type(now)(value)
        if not isinstance(step, tuple):
            setattr(holder, step, value)
        elif not isinstance(holder, tuple):
            holder[step[0]] = value

    @property
    def name(self) -> str:
        """As a report writes it: "W", "inner.W", "params[0]", "0.W" of a list of layers."""
        words = ""
        for i, step in enumerate(self.steps):
            last = i == len(self.steps) - 1
            if not isinstance(step, tuple):
                if step in HOLDERS and not last and self._named(i + 1):
                    continue
                if step in LAYERS and not last and not self._named(i + 1):
                    continue
                words += ("." if words else "") + step
            elif isinstance(step[0], str):
                words += ("." if words else "") + step[0]
            else:
                listed = i and self.steps[i - 1] in LAYERS and not last
                words += f"{'.' if words else ''}{step[0]}" if listed else f"[{step[0]}]"
        return words

    def _named(self, i: int) -> bool:
        step = self.steps[i]
        return not isinstance(step, tuple) or isinstance(step[0], str)

    @property
    def last(self) -> str:
        """The name of the array where it is kept: "W" of "inner.W"."""
        step = self.steps[-1]
        return str(step[0] if isinstance(step, tuple) else step)


def _step(source: Any, step: Any) -> Any:
    return source[step[0]] if isinstance(step, tuple) else getattr(source, step)


def is_floating(value: Any) -> bool:
    """Whether it is an array of floating numbers."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"


def holds(value: Any) -> bool:
    """Whether there may be arrays inside: a container or an object of some class."""
    if isinstance(value, (Mapping, list, tuple)):
        return True
    if isinstance(value, (*PLAIN, *OPAQUE)) or (callable(value) and not _has_members(value)):
        return False
    return _has_members(value)


def _has_members(value: Any) -> bool:
    return hasattr(value, "__dict__") or bool(getattr(type(value), "__slots__", ()))


def members(source: Any) -> Iterator[tuple[Any, Any]]:
    """(step, value) of what an object, a mapping or a list holds itself."""
    if isinstance(source, Layer):  # a layer of ours lists its parameters itself
        yield "params", source.params
        yield from ((k, v) for k, v in vars(source).items() if k not in OURS)
        return
    if isinstance(source, Mapping):
        for key, value in list(source.items()):
            yield (key,), value
        if isinstance(source, MutableMapping) and not isinstance(source, dict):
            return
    elif isinstance(source, (list, tuple)):
        for i, value in enumerate(source):
            yield (i,), value
    seen: set[str] = set()
    for key, value in list(getattr(source, "__dict__", {}).items()):
        seen.add(key)
        yield key, value
    for cls in type(source).__mro__[:-1]:
        slots = vars(cls).get("__slots__", ())
        for key in (slots,) if isinstance(slots, str) else slots:
            if key not in seen and hasattr(source, key):
                seen.add(key)
                yield key, getattr(source, key)
    for cls in type(source).__mro__[:-1]:
        for key, value in vars(cls).items():  # numbers and lists on the class itself
            if key not in seen and not key.startswith("__"):
                seen.add(key)
                if is_floating(value) or isinstance(value, (dict, list)):
                    yield key, value


def walk(source: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """(steps, value) for everything inside an object, nearest first; shared things once."""
    queue: list[tuple[tuple[Any, ...], Any]] = [((), source)]
    seen, looked = {id(source)}, 0
    while queue and looked < MANY:
        steps, holder = queue.pop(0)
        for step, value in members(holder):
            looked += 1
            yield (*steps, step), value
            if len(steps) < DEEP and id(value) not in seen and holds(value):
                seen.add(id(value))
                queue.append(((*steps, step), value))


def places_of(source: Any) -> list[Place]:
    """The floating arrays of an object, each under its best name; of a layer of ours its params.

    One array at two places, such as `self.W` and `self.params["W"]`, is listed once.
    """
    if isinstance(source, Layer):
        trained = [name for name in source.trained if is_floating(source.params[name])]
        declared = [Place(("params", (name,))) for name in trained]
        return declared + _beside_params(source)
    found: dict[int, Place] = {}
    for steps, value in walk(source):
        if is_floating(value) and _better(Place(steps), found.get(id(value))):
            found[id(value)] = Place(steps)
    return sorted(found.values(), key=lambda place: len(place.steps))


def _beside_params(source: Layer) -> list[Place]:
    """Arrays in attributes of a layer of one's own that its params do not list."""
    if type(source).__module__.partition(".")[0] == "nnscratch":
        return []
    known = [*source.params.values(), *source.buffers.values()]
    return [
        Place((key,))
        for key, value in vars(source).items()
        if is_floating(value) and not any(np.shares_memory(value, a) for a in known)
    ]


def _better(place: Place, other: Place | None) -> bool:
    """Of two ways to one array that by a name, and of those the shorter."""
    if other is None:
        return True
    listed = [isinstance(p.steps[-1], tuple) and not isinstance(p.steps[-1][0], str) for p in
              (place, other)]  # fmt: skip
    return (listed[0], len(place.steps)) < (listed[1], len(other.steps))
