"""What the caller passes: arrays in lists and tuples, torch tensors, and the call in words."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nnscratch.gradient_check.draws import Draw
from nnscratch.gradient_check.methods import Functions, GivenParams, methods_of
from nnscratch.gradient_check.names import is_buffer
from nnscratch.gradient_check.places import Place, holds, is_floating, walk
from nnscratch.kinds import array_of

__all__ = [
    "as_leaves",
    "call_in_words",
    "error_in_words",
    "name_in_words",
    "raised_by_hand",
    "weaknesses",
    "with_given_params",
]


def as_leaves(inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """(the arrays one after the other, in float64; the inputs, for their nesting).

    Examples
    --------
    >>> leaves, structure = as_leaves([[np.zeros(2), np.ones(3)], 1.5])
    >>> len(leaves), len(structure)
    (3, 2)
    """
    structure = [_plain(x) for x in inputs]
    leaves = [leaf for x in structure for leaf in _leaves(x)]
    return [np.asarray(x) if isinstance(x, np.matrix) else x for x in leaves], structure


def with_given_params(layer: Any, inputs: list[Any]) -> Any:
    """A layer whose parameters are passed in a mapping, or an object, as a pair that keeps them.

    One without arrays of floating numbers holds settings, and stays.
    """
    found = [i for i, x in enumerate(inputs) if _has_parameters(x)]
    methods = methods_of(layer)
    if len(found) != 1 or methods is None:
        return layer
    params, inputs[found[0]] = inputs[found[0]], GivenParams()
    forward, backward = (getattr(layer, name) for name in methods)
    bound = getattr(forward, "__self__", None) is layer
    return Functions(forward, backward, params, layer if bound else None)


def _has_parameters(x: Any) -> bool:
    if isinstance(x, (np.ndarray, list, tuple)) or not holds(x):
        return False
    arrays = [Place(steps) for steps, value in walk(x) if is_floating(value)]
    return any(not is_buffer(place.last) for place in arrays)


def _plain(x: Any) -> Any:
    """Lists of numbers as one array, tensors as arrays, lists of arrays as they are."""
    if hasattr(x, "detach") and hasattr(x, "numpy"):
        x = x.detach().cpu().numpy()
    arrays = isinstance(x, (list, tuple)) and any(
        isinstance(part, (np.ndarray, list, tuple)) or hasattr(part, "detach") for part in x
    )
    if arrays and not _numbers(x):
        return type(x)(_plain(part) for part in x)
    if isinstance(x, (list, tuple, float, int, np.generic)) and not isinstance(x, bool):
        x = array_of("check_gradients", x)
    if isinstance(x, np.ndarray):
        return x.astype(np.float64) if x.dtype.kind == "f" else x.copy()
    return x


def _numbers(x: Any) -> bool:
    """Whether lists hold nothing but numbers."""
    if isinstance(x, (list, tuple)):
        return all(_numbers(part) for part in x)
    return isinstance(x, (int, float, np.generic))


def _leaves(x: Any) -> Iterator[Any]:
    if isinstance(x, (list, tuple)):
        for part in x:
            yield from _leaves(part)
    else:
        yield x


def name_in_words(layer: Any) -> str:
    """What is checked, as its own repr writes it, or the name of its class."""
    if isinstance(layer, Functions):
        names = [getattr(f, "__name__", "function") for f in (layer.forward, layer.backward)]
        return f"({', '.join(names)})" if names[0] != names[1] else names[0]
    if "__repr__" not in {name for c in type(layer).__mro__[:-1] for name in vars(c)}:
        return f"{type(layer).__name__}()"
    return " ".join(repr(layer).split())


def call_in_words(inputs: Sequence[Any], dy: Any, seed: Any) -> str:
    """The call that gives this report again."""
    names = ["x"] if len(inputs) == 1 else [f"x{i}" for i in range(len(inputs))]
    shapes = ", ".join(f"{n} of {_shape(x)}" for n, x in zip(names, inputs, strict=True))
    given = "" if dy is None else ", dy=dy"
    seed = seed if isinstance(seed, (int, np.integer)) else "rng"
    return f"check_gradients(layer, {', '.join(names)}{given}, rng={seed})  # {shapes}"


def _shape(x: Any) -> str:
    if isinstance(x, (list, tuple)) and not _numbers(x):
        return f"{len(x)} arrays"
    return f"shape {np.shape(x)}" if not isinstance(x, (dict, str)) else type(x).__name__


def weaknesses(draw: Draw, dy: Any) -> Iterator[str]:
    """What could hide a mistake in the numbers that the caller chose."""
    uniform = dy is not None and not isinstance(dy, tuple) and np.size(dy) > 1
    if uniform and np.ptp(np.asarray(dy, np.float64)) == 0:
        yield "dy is uniform, which hides mistakes in softmax, normalization and sums; omit dy"
    elif dy is None and not draw.subject.takes_dy and draw.y.size > 1:
        yield "backward takes no dy, so dy is the same everywhere, which hides mistakes"
    arrays = [x for x in draw.inputs if isinstance(x, np.ndarray) and x.ndim]
    if arrays and len(arrays[0]) == 1 and arrays[0].ndim > 1:
        yield "the batch is 1, which hides sums over it; pass more samples"
    for name, array in [*((f"input {i}", x) for i, x in enumerate(arrays)), *draw.params.items()]:
        sizes = [n for n in array.shape if n != 1]
        if len(sizes) != len(set(sizes)):
            yield f"sizes of {name} {array.shape} coincide, which hides transposes and wrong axes"


def raised_by_hand(error: Exception) -> bool:
    """Whether the code refuses, by a raise of its own."""
    line = traceback.extract_tb(error.__traceback__)[-1].line
    return bool(line) and str(line).lstrip().startswith("raise")


def error_in_words(error: Exception) -> str:
    """The error, with the line that raised it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})"
