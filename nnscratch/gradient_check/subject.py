"""One face for everything that can be checked: layers, losses, and objects of other courses.

A `Subject` holds a float64 copy of the object. `forward` gives an array; `backward` gives the
gradients under the names of the report, whichever way the object hands them over.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnscratch.gradient_check.conventions import (
    Gradients,
    bare_params,
    dx_names,
    find_params,
    find_returned,
    held_arrays,
)
from nnscratch.layers.base import Layer
from nnscratch.layers.params import Params
from nnscratch.losses.base import Loss


class Subject:
    """An object with `forward` and `backward`, on a copy in float64.

    Parameters
    ----------
    source : object
        Is not touched, if it can be copied.
    is_loss : bool or None
        Whether only the first input has a gradient; None until that is known.

    Attributes
    ----------
    params : dict of str to array
        The live arrays: what is written into them is what `forward` sees.
    copied : bool
        False where the object cannot be copied.
    """

    def __init__(self, source: Any, is_loss: bool | None = None) -> None:
        self.source = source
        self.object, self.copied = _copied(source)
        self.ours = isinstance(self.object, (Layer, Loss))
        self.is_loss = True if isinstance(self.object, Loss) else is_loss
        if self.copied:
            _to_float64(self.object)
        self.params = find_params(self.object)
        self._candidates = bare_params(self.object)  # before forward leaves others beside them
        self.generators = list(_generators(self.object))
        self.global_state = False  # whether forward draws from the generators of all modules
        self.keep_random_state()
        self._cache: tuple[Any, ...] = ()
        self.scalar = False
        self.mode_name = ""

    def fresh(self) -> Subject:
        """A second copy of the source, never used; itself where it cannot be copied."""
        if not self.copied:
            return self
        other = Subject(self.source, self.is_loss)
        other.global_state = self.global_state
        other._states, other._global = self._states, self._global
        return other

    def params_now(self) -> dict[str, np.ndarray]:
        """The parameters as the object has them now, which may be other arrays."""
        bare = {k: v for k, v in vars(self.object).items() if k in self._candidates}
        return (
            self.params
            | {k: v for k, v in bare.items() if k in self.params}
            | {k: v for k, v in find_params(self.object).items() if k in self.params}
        )

    def in_other_mode(self) -> Subject | None:
        """A subject in evaluation if this trains, and the reverse; None without modes."""
        if not self.copied or isinstance(self.object, Loss):
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
        other = Subject(target, self.is_loss)
        other.global_state = self.global_state
        other.mode_name = "evaluation" if training in (None, True) else "training"
        return other

    # Randomness ----------------------------------------------------------------------------

    def keep_random_state(self) -> None:
        """Every later `forward` draws what a `forward` from here draws."""
        self._states = [copy.deepcopy(g.bit_generator.state) for g in self.generators]
        self._global = (np.random.get_state(), random.getstate())  # noqa: NPY002

    def _restore_random_state(self) -> None:
        for generator, state in zip(self.generators, self._states, strict=True):
            generator.bit_generator.state = state
        if self.global_state:
            np.random.set_state(self._global[0])  # noqa: NPY002
            random.setstate(self._global[1])

    def notice_global_draws(self) -> None:
        """See whether the last `forward` drew from `np.random` or `random`."""
        before, now = self._global[0], np.random.get_state()  # noqa: NPY002
        same = all(np.array_equal(a, b) for a, b in zip(before, now, strict=True))
        self.global_state = not same or self._global[1] != random.getstate()

    # The calls -----------------------------------------------------------------------------

    def forward(self, inputs: Sequence[Any]) -> np.ndarray:
        """y as an array, () for a number."""
        self._restore_random_state()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            y = self.object.forward(*inputs)
        self._cache = ()
        if isinstance(y, tuple) and len(y) == 2 and isinstance(y[0], (np.ndarray, float)):
            y, *rest = y
            self._cache = tuple(rest)  # the functional style: out, cache = forward(x)
        self.scalar = isinstance(y, (int, float))
        if y is None:
            raise TypeError("forward returned None; end it with `return y`")
        y = np.asarray(y)
        if y.dtype.kind not in "fiub":
            raise TypeError(f"forward returned {y.dtype}, expected real numbers")
        return y

    def backward(self, dy: np.ndarray, inputs: Sequence[Any]) -> Gradients:
        """The gradients by name, as the object hands them over."""
        for name in ("zero_grad", "zero_grads"):  # these objects accumulate on purpose
            if callable(getattr(self.object, name, None)):
                getattr(self.object, name)()
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            returned = self.object.backward(*self._arguments(dy))
        if self.is_loss is None:
            self.is_loss = (
                self.scalar
                and len(inputs) == 2
                and not self.params
                and not isinstance(self.object, Layer)
                and not isinstance(returned, (tuple, list))
            )
        names = dx_names(inputs, bool(self.is_loss))
        found = find_returned(self.object, returned, list(self.params), self._candidates, names)
        for name in found:
            if name in self._candidates:
                self.params.setdefault(name, getattr(self.object, name))
        return found

    @property
    def takes_dy(self) -> bool:
        """Whether `backward` can be given dy."""
        return bool(self._arguments(np.zeros(())))

    def _arguments(self, dy: np.ndarray) -> tuple[Any, ...]:
        given = float(dy) if self.scalar and not isinstance(self.object, Layer) else dy
        given = given if not isinstance(given, np.ndarray) or given.ndim else given[()]
        try:
            signature = inspect.signature(self.object.backward)
        except (TypeError, ValueError):
            return (given, *self._cache)
        kinds = [p.kind for p in signature.parameters.values()]
        if inspect.Parameter.VAR_POSITIONAL in kinds:
            return (given, *self._cache)
        positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        accepted = sum(kind in positional for kind in kinds)
        return (given, *self._cache)[:accepted]


@contextlib.contextmanager
def global_random_state_kept() -> Iterator[None]:
    """The caller's `np.random` and `random` draw what they would have drawn without a check."""
    states = np.random.get_state(), random.getstate()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])


def same(a: Any, b: Any) -> bool:
    """Whether two arrays, or what stands in their place, are equal, NaN to NaN."""
    if a is None or b is None:
        return a is b
    try:
        a, b = np.asarray(a), np.asarray(b)
        return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    except (TypeError, ValueError):
        return False


def _copied(source: Any) -> tuple[Any, bool]:
    try:
        return copy.deepcopy(source), True
    except Exception:  # locks, modules, open files: then the object itself is checked
        return source, False


def _to_float64(source: Any) -> None:
    """Convert the floating arrays that an object keeps to float64."""
    converted: dict[int, tuple[Any, np.ndarray]] = {}  # one array may be kept at two places
    for holder, key, value in held_arrays(source):
        if isinstance(value, Layer):
            value.astype(np.float64)
        elif isinstance(value, np.ndarray) and value.dtype in (np.float16, np.float32):
            new = converted.setdefault(id(value), (value, value.astype(np.float64)))[1]
            _put(holder, key, new)
    if isinstance(source, Layer):
        source.astype(np.float64)


def _put(holder: Any, key: Any, array: np.ndarray) -> None:
    if isinstance(holder, (Params, tuple)):
        return  # a layer of ours converts itself
    if isinstance(holder, (dict, list)):
        holder[key] = array
    else:
        setattr(holder, key, array)


def _generators(source: Any) -> Iterator[np.random.Generator]:
    seen: set[int] = set()
    for _, _, value in held_arrays(source):
        if isinstance(value, np.random.RandomState):
            value = np.random.Generator(value._bit_generator)
        if isinstance(value, np.random.Generator) and id(value) not in seen:
            seen.add(id(value))
            yield value
