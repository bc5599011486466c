"""One face for everything that can be checked: layers, losses, and objects of other courses.

A `Subject` holds a float64 copy of the object. `forward` gives its outputs as arrays; `backward`
the gradients under the names of the report, whichever way the object hands them over. How the
object is used (`Manner`) is found out once, by `discovery`, and shared by all copies.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check.copies import (
    copy_of,
    is_list_of_numbers,
    nested,
    numbers_as_arrays,
    real,
    same,
    to_float64,
)
from nnscratch.gradient_check.gradients import (
    Gradients,
    dx_names,
    flattened,
    handed_over,
)
from nnscratch.gradient_check.manner import Manner, NotUnderstood
from nnscratch.gradient_check.methods import Functions, GivenParams, methods_of, parameters
from nnscratch.gradient_check.names import OUTPUTS, RATES, plain
from nnscratch.gradient_check.places import is_floating, members, places_of, walk
from nnscratch.gradient_check.randomness import RandomState
from nnscratch.layers.base import Layer
from nnscratch.losses.base import Loss

__all__ = ["Manner", "NotUnderstood", "Subject", "loss_among", "same"]


def loss_among(ys: Sequence[Any]) -> int:
    """Which output is the loss where backward takes no dy: the only number, else the first."""
    numbers = [i for i, y in enumerate(ys) if np.size(y) == 1]
    return numbers[0] if len(numbers) == 1 else 0


class Subject:
    """An object with `forward` and `backward`, on a copy in float64.

    Parameters
    ----------
    source : object
        Is not touched, if it can be copied.
    manner : Manner or None
        None for an object of this package, or one that `discovery` has yet to look at.

    Attributes
    ----------
    object : object
        The copy.
    copied : bool
        False where the object cannot be copied.
    """

    def __init__(self, source: Any, manner: Manner | None = None) -> None:
        self.source = source
        self.object, self.copied = copy_of(source)
        self.ours = isinstance(self.object, (Layer, Loss))
        if self.copied:
            to_float64(self.object)
        if manner is None:
            manner = Manner(is_loss=True if isinstance(source, Loss) else None)
            if isinstance(source, Layer):
                manner.places = {place.name: place for place in places_of(self.object)}
                manner.places = {p.last: p for p in manner.places.values()}
        self.manner = manner
        self.methods = methods_of(self.object) or ("forward", "backward")
        self.random = RandomState(self.object)
        self.mode_name = ""
        self.live = self.object  # what is called
        self.plain = True  # whether a dy of a number is Python's own, not NumPy's
        self.returned: Any = None
        self._inputs: list[Any] = []
        self._scalars: list[Any] = []

    # Copies ---------------------------------------------------------------------------------

    def fresh(self) -> Subject:
        """A second copy of the source, never used; itself where it cannot be copied."""
        if not self.copied:
            return self
        other = Subject(self.source, self.manner)
        other.random.follow(self.random)
        return other

    def in_other_mode(self) -> Subject | None:
        """A subject in evaluation if this trains, and the reverse; None without modes."""
        if not self.copied or isinstance(self.object, (Loss, Functions)):
            return None
        target = copy.deepcopy(self.object)
        training = getattr(target, "training", None)
        switch = getattr(target, "eval" if training in (None, True) else "train", None)
        if callable(switch):
            try:
                switch()
            except TypeError:  # some other `train`, that takes data
                return None
        elif isinstance(training, bool):
            target.training = not training
        else:
            return None
        other = Subject(target, self.manner)
        other.mode_name = "evaluation" if training in (None, True) else "training"
        return other

    @property
    def is_loss(self) -> bool:
        return bool(self.manner.is_loss)

    def called(self) -> Sequence[str]:
        """What forward calls its inputs, in the order in which they are kept."""
        taken = parameters(getattr(self.object, self.methods[0]))
        if self.ours or taken is None or len(self.manner.structure or ()) > len(taken):
            return ()
        return self._in_order([p.name for p in taken[: len(self.manner.structure or ())]])

    # Parameters -----------------------------------------------------------------------------

    @property
    def params(self) -> dict[str, np.ndarray]:
        """The parameters as the object has them now."""
        return self._params_of(self.object)

    def _params_of(self, target: Any) -> dict[str, np.ndarray]:
        found = {name: place.read(target) for name, place in self.manner.places.items()}
        return {n: np.asarray(a) for n, a in found.items() if np.asarray(a).dtype.kind == "f"}

    def write(self, name: str, value: Any) -> None:
        """Put numbers into a parameter."""
        if name in self.manner.places:
            self.manner.places[name].write(self.object, value)

    # The calls ------------------------------------------------------------------------------

    def forward(self, inputs: Sequence[Any]) -> list[np.ndarray]:
        """The outputs as arrays, () for a number."""
        self.random.restore(self.manner.global_state)
        self.live = self.object
        if self.manner.stateful and self.copied:
            self.live, _ = copy_of(self.object)
        self.clear()
        given = [self.live.params if isinstance(x, GivenParams) else x for x in inputs]
        self._inputs = nested(self.manner.structure, given)
        leaves = self.manner.leaves_output is not False
        before = {k: id(v) for k, v in members(self.live) if isinstance(k, str)} if leaves else {}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            forward = getattr(self.live, self.methods[0])
            returned = forward(*self._in_order(self._inputs), **self.manner.options)
        self.manner.leaves_output = returned is None
        if returned is None:
            returned = self._left_output(before)
        as_lists = is_list_of_numbers(returned) or isinstance(returned, np.matrix)
        self.manner.lists = self.manner.lists or as_lists
        self.returned = returned
        self._scalars = self.outputs_of(returned)
        ys = [real(y) for y in self._scalars]
        if not ys:
            raise NotUnderstood(f"forward returned {type(returned).__name__} without an array")
        return ys

    def _in_order(self, inputs: Sequence[Any]) -> Sequence[Any]:
        """Of forward's arguments that the target is the first of, in its order."""
        return [inputs[1], inputs[0], *inputs[2:]] if self.manner.target_first else inputs

    def outputs_of(self, returned: Any) -> list[Any]:
        """What of the returned things are outputs."""
        leaves = flattened(self._whole(returned))
        if self.manner.probing:
            leaves = [y for y in leaves if isinstance(y, (np.ndarray, float, np.floating))]
        return leaves

    def _whole(self, returned: Any) -> list[Any]:
        """The returned outputs, each as it was nested."""
        if is_list_of_numbers(returned):
            return [np.asarray(returned)]
        if not isinstance(returned, (tuple, list)):
            return [returned]
        call = self.manner.call
        end = None if call.outputs is None else call.start + call.outputs
        return list(returned[call.start : end])

    def backward(self, dys: Sequence[np.ndarray], inputs: Sequence[Any]) -> Gradients:
        """The gradients by name, as the object hands them over."""
        before = {name: self.params[name].copy() for name in self.manner.updates}
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            returned = getattr(self.live, self.methods[1])(*self._arguments(dys))
        if self.manner.lists:
            returned = numbers_as_arrays(returned)
        if isinstance(returned, (tuple, list)) and len(returned) > 1:
            returned = self._in_order(returned)
        if self.manner.is_loss is None:
            self.manner.is_loss = self._looks_like_a_loss(returned, inputs)
        arrays = any(np.ndim(x) for x in inputs)
        has = [is_floating(x) and (x.ndim > 0 or not arrays) for x in inputs]
        names = dx_names(inputs, self.is_loss)
        places = {n: p for n, p in self.manner.places.items() if n not in before}
        last = self.manner.call.dx_last
        found = handed_over(self.live, returned, names, places, has, last, self.called())
        if self.manner.lists:
            found = {name: numbers_as_arrays(gradient) for name, gradient in found.items()}
        for name, place in self.manner.left.items():
            found[name] = place.read(self.live)
        now = self._params_of(self.live)
        for name, rate in self.manner.updates.items():
            found[name] = (before[name] - now[name]) / rate
        return found

    def clear(self) -> None:
        """Call what clears gradients before each forward; set those of value and grad to 0."""
        for name in self.manner.clearing:
            getattr(self.live, name)()
        for place in self.manner.pairs:
            gradient = place.read(self.live)
            if is_floating(gradient):
                place.replace(self.live, np.zeros_like(gradient))

    @property
    def clears(self) -> bool:
        """Whether its gradients add up on purpose, until they are cleared."""
        return bool(self.manner.clearing or self.manner.pairs)

    @property
    def gives_number(self) -> bool:
        """Whether the last forward gave a number of Python's own."""
        return isinstance(self._scalars[0], (int, float)) and not isinstance(self.object, Layer)

    @property
    def takes_dy(self) -> bool:
        """Whether `backward` can be given dy."""
        return self.manner.call.takes_dy

    def draw_dys(self, rng: np.random.Generator, ys: Sequence[np.ndarray]) -> list[np.ndarray]:
        """One dy for each output: drawn, or what a backward without dy assumes."""
        if self.takes_dy:
            return [
                np.asarray(rng.uniform(0.5, 1.5, y.shape) * rng.choice([-1.0, 1.0], y.shape))
                for y in ys
            ]
        loss = loss_among(ys)
        scale = 1.0 / max(ys[loss].size, 1) if self.manner.call.dy == "mean" else 1.0
        return [np.full(y.shape, scale if i == loss else 0.0) for i, y in enumerate(ys)]

    def _arguments(self, dys: Sequence[np.ndarray]) -> list[Any]:
        given = [self._as_returned(dy, i) for i, dy in enumerate(dys)]
        given = nested(self._whole(self.returned), given)
        found: list[Any] = []
        for kind, i in self.manner.call.arguments:
            if kind == "dys":
                found.append(given if isinstance(self.returned, list) else tuple(given))
            elif kind == "dy":
                found.append(given[i])
            elif kind == "input":
                found.append(self._inputs[i])
            elif kind == "rate":
                found.append(self.manner.rate)
            elif kind == "cache":
                found.append(self.returned[self.manner.call.cached])
            elif kind == "penalty":
                found.append(0.0)
            elif kind == "returned":
                found.append(self.returned[i])
            else:
                found.append(self.returned)
        return found

    def _as_returned(self, dy: np.ndarray, i: int) -> Any:
        """A number where forward gave a number."""
        if isinstance(self._scalars[i], (int, float)) and not isinstance(self.object, Layer):
            return float(dy) if self.plain else np.float64(dy)
        if is_list_of_numbers(self.returned):
            return dy.tolist()
        if isinstance(self._scalars[i], np.matrix):
            return np.asmatrix(dy)
        return dy if dy.ndim else dy[()]

    def _looks_like_a_loss(self, returned: Any, inputs: Sequence[Any]) -> bool:
        if isinstance(self.object, Layer) or len(inputs) < 2 or self.manner.places:
            return False
        if isinstance(returned, (tuple, list)) and sum(r is not None for r in returned) > 1:
            return False
        y = np.asarray(self._scalars[loss_among(self._scalars)])
        first = np.shape(inputs[0])
        per_sample = not self.takes_dy and bool(first) and y.size == first[0]
        return y.size == 1 or per_sample

    def _left_output(self, before: dict[str, int]) -> Any:
        """The output that forward left on the object."""
        now = {k: v for k, v in members(self.live) if isinstance(k, str)}
        taken = {id(x) for x in self._inputs}
        arrays = {
            k: v
            for k, v in now.items()
            if isinstance(v, (np.ndarray, np.floating)) and before.get(k) != id(v)
            and id(v) not in taken
        }  # fmt: skip
        by_name = {plain(k): v for k, v in arrays.items()}
        found = next((by_name[name] for name in OUTPUTS if name in by_name), None)
        if found is None and len(arrays) == 1:
            found = next(iter(arrays.values()))
        if found is None:
            raise TypeError("forward returned None; end it with `return y`")
        return found

    def rate_of_update(self) -> float | None:
        """The rate by which backward changes the parameters itself."""
        if ("rate", 0) in self.manner.call.arguments:
            return self.manner.rate
        for steps, value in walk(self.object):
            named = isinstance(steps[-1], str) and plain(steps[-1]) in RATES
            if named and isinstance(value, (float, int, np.number)) and value:
                return float(value)
        return None
