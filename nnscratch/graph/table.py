"""The printed trace of a graph, and how the numbers of a node are written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from nnscratch.graph.order import Step

FEW = 4  # how many numbers that are shown in full


def table(steps: Sequence[Step], values: Sequence[Any], grads: Sequence[Any]) -> str:
    """The nodes with their operation, parents, value and gradient, one line each."""
    rows = [("name", "operation", "parents", "value", "gradient")]
    for step, value, grad in zip(steps, values, grads, strict=True):
        parents = ", ".join(steps[p].name for p in step.parents)
        rows.append((step.name, step.operation, parents, written(value), written(grad)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def written(array: Any, digits: int = 6) -> str:
    """An array in a few letters: its numbers if they are few, else its shape and dtype.

    Examples
    --------
    >>> written(np.array([[1, 2 / 3]])), written(np.zeros((5, 2), np.float32))
    ('[[1 0.666667]]', '(5, 2) float32')
    """
    if array is None:
        return ""
    if isinstance(array, tuple):  # of a layer with several outputs
        return " and ".join(written(part, digits) or "none" for part in array)
    array = np.asarray(array)
    if array.size > FEW:
        return f"{array.shape} {array.dtype}"
    return _nested(array.tolist(), digits)


def _nested(numbers: Any, digits: int) -> str:
    if isinstance(numbers, list):
        return "[" + " ".join(_nested(inside, digits) for inside in numbers) + "]"
    return f"{numbers:.{digits}g}"


def _cells(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    """Text to the left, numbers to the right."""
    for i, (text, width) in enumerate(zip(row, widths, strict=True)):
        yield text.ljust(width) if i < 3 else text.rjust(width)
