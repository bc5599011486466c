"""What a forward pass leaves behind: the arrays in a cache, and the form of its output."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np


def form_of(y: Any) -> Any:
    """(shape, dtype) of an output, a list of them for several."""
    return [form_of(part) for part in y] if isinstance(y, tuple) else (y.shape, y.dtype)


def protected(y: Any, cache: Any) -> Any:
    """y, as a read-only view where the cache holds its memory."""
    if isinstance(y, tuple):
        return tuple(protected(part, cache) for part in y)
    memory = owner(y)
    if not isinstance(y, np.ndarray) or not any(owner(a) is memory for a in arrays_in(cache)):
        return y
    view = y.view()
    view.flags.writeable = False
    return view


def arrays_in(cache: Any) -> Iterator[np.ndarray]:
    """All arrays in a cache, whatever it is made of."""
    waiting = [cache]
    while waiting:
        inside = waiting.pop()
        if isinstance(inside, np.ndarray):
            yield inside
        elif isinstance(inside, (tuple, list)):
            waiting += inside
        elif isinstance(inside, dict):
            waiting += inside.values()
        elif hasattr(inside, "__dict__") and not isinstance(inside, type):
            waiting += vars(inside).values()


def owner(array: Any) -> Any:
    """The array whose memory a view looks at."""
    while isinstance(getattr(array, "base", None), np.ndarray):
        array = array.base
    return array
