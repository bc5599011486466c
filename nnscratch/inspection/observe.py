"""One observer: what every layer of a model was given and what it gave, use by use.

    with observe(model) as passes:
        loss.forward(model.forward(x), target)
        model.backward(loss.backward())
    for use in passes:
        print(use.path, use.layer, use.output.shape, use.seconds)

For the time of the `with`, passes that record stand on the layer objects, where Python finds
them before those of the class. So a layer is seen whoever calls it, a container or a line in a
layer of one's own, and a model that nobody observes runs as if this file did not exist.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nnscratch.layers.base import Layer

__all__ = ["observe"]

# What each pass has done when it is over: backprop is the other two at once.
_DONE = {
    "forward_pass": frozenset[str](),
    "backward_pass": frozenset({"dx"}),
    "gradient_pass": frozenset({"grads"}),
    "backprop": frozenset({"dx", "grads"}),
}


@dataclass(eq=False)
class Use:
    """One call of a layer's forward pass, and the backward passes that belong to it.

    The arrays are those of the passes themselves: read them only.

    Attributes
    ----------
    path : str
        The layer's place in the model, as `walk` says it: "3.1", a node's name in a graph, ""
        for the model itself. A layer that stands at several places has the path of the first.
    layer : Layer
    use : int
        How many uses of the same layer came before.
    where : str
        The path of this use: that of the second place for the second use of a shared layer.
    caller : Use or None
        The use of the layer that called it; None for the outermost.
    inputs : tuple
        What the forward pass was given.
    output : array, or tuple of arrays
        None if the pass raised an error.
    cache : object
    dy, dx : array, tuple of arrays, or None
        None until the way back comes here; dx also where it is not needed.
    grads : dict of str to array, or None
    seconds : float
        Of the forward and the backward passes, the layers inside included.
    own_seconds : float
        Without those of the layers inside.
    """

    path: str
    layer: Layer
    use: int
    where: str = field(repr=False)
    caller: Use | None = field(default=None, repr=False)
    inputs: tuple[Any, ...] = field(default=(), repr=False)
    output: Any = field(default=None, repr=False)
    cache: Any = field(default=None, repr=False)
    dy: Any = field(default=None, repr=False)
    dx: Any = field(default=None, repr=False)
    grads: dict[str, Any] | None = field(default=None, repr=False)
    seconds: float = field(default=0.0, repr=False)
    inside: float = field(default=0.0, repr=False)
    done: set[str] = field(default_factory=set, repr=False)  # of "dx", "grads"

    @property
    def own_seconds(self) -> float:
        return self.seconds - self.inside


@contextmanager
def observe(model: Layer) -> Iterator[list[Use]]:
    """Record every use of every layer of a model, until the block ends.

    Parameters
    ----------
    model : Layer
        Observed with all layers inside it, those of `walk`.

    Returns
    -------
    passes : list of Use
        In the order in which the forward passes begin, a container before its layers. It may be
        cleared between two steps; counting then starts again.

    Notes
    -----
    A backward pass belongs to the forward pass that returned its cache. Where several uses of a
    layer have the same cache (None, an empty tuple), the way back is taken to meet them in the
    reverse order, as it does. A backward pass whose forward pass was not observed has a record
    without inputs and output. When a pass calls another one of the same layer, such as backprop
    its own backward_pass, that is one use.

    Observations may be nested, and copies and pickles that are made inside are not observed.

    Raises
    ------
    ValueError
        `model` is not a layer.

    Examples
    --------
    >>> import numpy as np
    >>> import nnscratch as nn
    >>> shared = nn.Linear(3, 3, rng=0)
    >>> model = nn.Sequential(shared, nn.Tanh(), shared)
    >>> with observe(model) as passes:
    ...     y = model.forward(np.ones((2, 3)))
    ...     dx, grads = model.backward(np.ones_like(y))
    >>> passes[1:]
    [Use(path='0', layer=Linear(3, 3), use=0), Use(path='1', layer=Tanh(), use=0),
     Use(path='0', layer=Linear(3, 3), use=1)]
    >>> [use.where for use in passes]
    ['', '0', '1', '2']
    >>> np.allclose(passes[1].grads["W"] + passes[3].grads["W"], grads["0.W"])
    True
    """
    if not isinstance(model, Layer):
        raise ValueError(f"observe expected a Layer, received {type(model).__name__}")
    observation = _Observation(model)
    try:
        yield observation.passes
    finally:
        observation.end()


class _Pass:
    """A pass that records, on a layer object until the observation ends."""

    observes = True  # copies and pickles of the layer leave it behind

    def __init__(self, observation: _Observation, layer: Layer, name: str) -> None:
        self.observation, self.layer, self.name = observation, layer, name
        self.function = self.__wrapped__ = getattr(layer, name)  # whose signature it has
        self.before = {name: vars(layer)[name]} if name in vars(layer) else {}

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self.observation.call(self, arguments, options)


@dataclass
class _Running:
    """A pass that has begun: what it called so far, and the seconds that recording took in it."""

    use: Use
    calls: Counter[int] = field(default_factory=Counter)
    recording: float = 0.0


class _Threads(threading.local):
    """Each thread is inside a pass of its own."""

    running: _Running | None = None


class _Observation:
    def __init__(self, model: Layer) -> None:
        self.passes: list[Use] = []
        self.over = False
        self._inside = _Threads()
        self._uses: Counter[int] = Counter()  # by the layer's id
        self._of_cache: dict[tuple[int, int], list[Use]] = {}  # by the ids of layer and cache
        self._names: dict[int, dict[int, list[str]]] = {}
        self._layers: dict[int, tuple[str, Layer]] = {}
        for path, layer in model.walk():
            self._layers.setdefault(id(layer), (path, layer))
        for _, layer in self._layers.values():
            vars(layer).update({name: _Pass(self, layer, name) for name in _DONE})

    def end(self) -> None:
        """Take the recording passes off, in whichever order nested observations end."""
        self.over = True
        for _, layer in self._layers.values():
            for name in _DONE:
                there = vars(layer).get(name)
                while isinstance(there, _Pass) and there.observation.over:
                    del vars(layer)[name]
                    vars(layer).update(there.before)
                    there = vars(layer).get(name)

    def call(self, recorded: _Pass, arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """Run a pass, timed without the seconds that the records inside it take."""
        begun = time.perf_counter()
        outer = self._inside.running
        if self.over or (outer is not None and outer.use.layer is recorded.layer):
            return recorded.function(*arguments, **options)
        given = _in_order(recorded, arguments, options)
        if recorded.name == "forward_pass":
            use = self._new_use(recorded.layer, outer)
            use.inputs = given
        else:
            use = self._use_of(recorded, given[1], outer)
            use.dy = given[0]
        running = self._inside.running = _Running(use)
        start = time.perf_counter()
        try:
            result = recorded.function(*arguments, **options)
        finally:
            taken = time.perf_counter() - start
            self._inside.running = outer
            use.seconds += taken - running.recording
            if outer is not None:
                outer.use.inside += taken - running.recording
        self._write(recorded, use, result, given[2:])
        if outer is not None:
            outer.recording += running.recording + time.perf_counter() - begun - taken
        return result

    def _new_use(self, layer: Layer, outer: _Running | None) -> Use:
        if not self.passes:  # for the first time, or cleared
            self._uses.clear()
            self._of_cache.clear()
        path = where = self._layers[id(layer)][0]
        if outer is not None:
            names = self._names_inside(outer.use.layer).get(id(layer))
            if names:
                name = names[min(outer.calls[id(layer)], len(names) - 1)]
                where = f"{outer.use.where}.{name}".strip(".")
            outer.calls[id(layer)] += 1
        caller = None if outer is None else outer.use
        use = Use(path, layer, self._uses[id(layer)], where, caller)
        self._uses[id(layer)] += 1
        self.passes.append(use)
        return use

    def _names_inside(self, layer: Layer) -> dict[int, list[str]]:
        """The names of the layers directly inside one, by their ids."""
        if id(layer) not in self._names:
            names: dict[int, list[str]] = {}
            for name, inner in layer.children():
                names.setdefault(id(inner), []).append(name)
            self._names[id(layer)] = names
        return self._names[id(layer)]

    def _use_of(self, recorded: _Pass, cache: Any, outer: _Running | None) -> Use:
        """The use to whose cache a backward pass goes back."""
        layer, does = recorded.layer, _DONE[recorded.name]
        caller = None if outer is None else outer.use
        uses = self._of_cache.get((id(layer), id(cache)), [])
        uses = [use for use in uses if use.caller is caller] or uses
        if not uses:
            use = self._new_use(layer, outer)
            self._keep(use, cache)
            uses = [use]
        waiting = [use for use in uses if not use.done & does]
        if not waiting:  # the way back is gone once more
            for use in uses:
                use.done -= does
            waiting = uses
        waiting[-1].done |= does
        return waiting[-1]

    def _keep(self, use: Use, cache: Any) -> None:
        use.cache = cache
        self._of_cache.setdefault((id(use.layer), id(cache)), []).append(use)

    def _write(self, recorded: _Pass, use: Use, result: Any, others: tuple[Any, ...]) -> None:
        if recorded.name == "forward_pass":
            use.output, cache = result
            self._keep(use, cache)
            return
        if recorded.name == "backward_pass":
            use.dx = result
            return
        use.dx, grads = result if recorded.name == "backprop" else (use.dx, result)
        out = others[0] if others and isinstance(others[0], Mapping) else {}
        # Into the arrays of `out` the next use adds its share, and the next step writes its own.
        use.grads = {key: g.copy() if key in out else g for key, g in grads.items()}


def _in_order(
    recorded: _Pass, arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[Any, ...]:
    """The arguments of a pass in the order of its signature, however they were given."""
    if not options:
        return arguments
    bound = inspect.signature(recorded).bind(*arguments, **options)
    return (*bound.args, *bound.kwargs.values())
