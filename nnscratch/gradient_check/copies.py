"""Copies of an object in float64, and of what goes in and comes out."""

from __future__ import annotations

import contextlib
import copy
from typing import Any

import numpy as np

from nnscratch.gradient_check.left_behind import MISSING
from nnscratch.gradient_check.places import Place, is_floating, members, walk
from nnscratch.layers.base import Layer

__all__ = [
    "copy_of",
    "is_list_of_numbers",
    "nested",
    "numbers_as_arrays",
    "real",
    "same",
    "to_float64",
]


def same(a: Any, b: Any) -> bool:
    """Whether two arrays, or what stands in their place, are equal, NaN to NaN."""
    if a is None or b is None or a is MISSING or b is MISSING:
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(u, v) for u, v in zip(a, b, strict=True))
    try:
        a, b = np.asarray(a), np.asarray(b)
        return a.shape == b.shape and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    except (TypeError, ValueError):
        return False


def is_list_of_numbers(value: Any) -> bool:
    """Whether it is a list of floating numbers, or of such lists of one length."""
    if not isinstance(value, list) or not value:
        return False
    if all(isinstance(v, (float, np.floating)) for v in value):
        return True
    return all(map(is_list_of_numbers, value)) and len({len(v) for v in value}) == 1


def numbers_as_arrays(value: Any) -> Any:
    """Lists of numbers and matrices as arrays, in tuples and lists too."""
    if isinstance(value, np.matrix):
        return np.asarray(value)
    if is_list_of_numbers(value):
        return np.asarray(value, np.float64)
    if type(value) in (tuple, list):
        return type(value)(map(numbers_as_arrays, value))
    return value


def nested(structure: list[Any] | None, leaves: list[Any]) -> list[Any]:
    """The leaves in the nesting of the structure; without one each stands for itself."""
    if structure is None:
        return leaves
    rest = iter(leaves)

    def fill(part: Any) -> Any:
        if isinstance(part, (tuple, list)):
            return type(part)(fill(p) for p in part) if type(part) in (tuple, list) else part
        leaf = next(rest)
        return np.asmatrix(leaf) if isinstance(part, np.matrix) else leaf

    return [fill(part) for part in structure]


def real(y: Any) -> np.ndarray:
    """An output as an array of real numbers."""
    y = np.asarray(y)
    if y.dtype == object and y.size == 1:
        y = np.asarray(y.item()).reshape(y.shape)
    if y.dtype.kind not in "fiub":
        raise TypeError(f"forward returned {y.dtype}, expected real numbers")
    return y


def copy_of(source: Any) -> tuple[Any, bool]:
    """(a copy, True), or (the object itself, False) where it cannot be copied."""
    try:
        copied = copy.deepcopy(source)
    except Exception:  # locks, modules, open files: then the object itself is checked
        return source, False
    for key, value in members(copied):
        own = isinstance(key, str) and key in getattr(copied, "__dict__", {key: None})
        if not own and is_floating(value):  # on the class, which no copy may change
            with contextlib.suppress(AttributeError):
                setattr(copied, key, value.copy())
    return copied, True


def to_float64(source: Any) -> None:
    """Convert the floating arrays that an object keeps to float64."""
    if isinstance(source, Layer):
        source.astype(np.float64)
    converted: dict[int, tuple[Any, np.ndarray]] = {}  # one array may be kept at two places
    inside = (Layer,)
    owned: list[tuple[Any, ...]] = []
    for steps, value in list(walk(source)):
        if any(steps[: len(own)] == own for own in owned):
            continue
        if isinstance(value, inside):
            value.astype(np.float64)
            owned.append(steps)
        elif isinstance(value, np.ndarray) and value.dtype in (np.float16, np.float32):
            if isinstance(source, Layer) and steps[0] in ("params", "buffers"):
                continue
            new = converted.setdefault(id(value), (value, value.astype(np.float64)))[1]
            try:
                Place(steps).replace(source, new)
            except (AttributeError, TypeError, ValueError):  # read-only: it stays as it is
                continue
