"""Batches -> changed batches: the functions that `Trainer(..., augment=...)` was given."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nnscratch.training.samples import Batch

# (x, rng) -> x, or (x, y, rng) -> (x, y); or several, one after the other
Augment = Callable[..., Any] | Sequence[Callable[..., Any]] | None
EXPECTED = "augment is a function (x, rng) -> x or (x, y, rng) -> (x, y), or a list of them"


class Augmenting:
    """All changes of a batch, in their order.

    Parameters
    ----------
    augment : function, sequence of functions or None

    Raises
    ------
    ValueError
        One of them is no such function; in a call, one returns something else than samples.
    """

    def __init__(self, augment: Augment) -> None:
        several = isinstance(augment, (list, tuple))
        functions: Any = augment if several else [] if augment is None else [augment]
        self.changes = [(function, sees_targets(function)) for function in functions]

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __call__(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """The changed batch; the given one stays as it is."""
        for function, targets in self.changes:
            if not targets:
                x, y = function(batch.x, rng), batch.y
            else:
                if batch.weight is not None:
                    raise ValueError(
                        f"{named(function)} changes targets, which sample_weight would no longer "
                        "belong to; leave out one of them"
                    )
                x, y = _pair(function, function(batch.x, batch.y, rng))
            _check(function, "inputs", batch.x, x)
            _check(function, "targets", batch.y, y)
            batch = batch._replace(x=x, y=y)
        return batch


def sees_targets(function: Any) -> bool:
    """Whether a change takes (x, y, rng) instead of (x, rng); ValueError for anything else."""
    if not callable(function) or isinstance(function, type):
        what = f"the class {function.__name__}" if isinstance(function, type) else repr(function)
        raise ValueError(f"{EXPECTED}; received {what}")
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # one of C that tells nothing of itself
        return False
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
    needed = [p for p in needed if p.kind is not p.VAR_KEYWORD]
    if len(needed) not in (2, 3):
        names = ", ".join(p.name for p in needed)
        raise ValueError(f"{EXPECTED}; received {named(function)}, which takes ({names})")
    return len(needed) == 3


def named(function: Any) -> str:
    """What errors call it."""
    return getattr(function, "__name__", None) or repr(function)


def _pair(function: Any, found: Any) -> tuple[Any, Any]:
    if not isinstance(found, tuple) or len(found) != 2:
        raise ValueError(
            f"{named(function)} expected to return (x, y), it returned {type(found).__name__}"
        )
    return found


def _check(function: Any, what: str, before: Any, after: Any) -> None:
    """A ValueError where there are no longer as many samples as before."""
    if after is before:
        return
    several = isinstance(before, tuple)
    pairs = list(zip(before, after, strict=False)) if several else [(before, after)]
    if (several and (not isinstance(after, tuple) or len(after) != len(before))) or any(
        np.shape(one)[:1] != np.shape(other)[:1] for one, other in pairs
    ):
        raise ValueError(
            f"{named(function)} expected to return as many {what} as it was given, "
            f"{_told(before)}, it returned {_told(after)}"
        )


def _told(arrays: Any) -> str:
    if isinstance(arrays, tuple):
        return f"({', '.join(map(_told, arrays))})"
    return str(np.shape(arrays)) if isinstance(arrays, np.ndarray) else type(arrays).__name__
