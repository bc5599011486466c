"""What the passes of a graph take, pass on and leave behind: values and gradients of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nnscratch.graph.order import Step
from nnscratch.kinds import as_array


@dataclass
class Values:
    """What a forward pass leaves behind: one entry per step."""

    values: list[Any]
    caches: list[Any]
    grads: list[Any] | None = None
    kept: bool = False  # whether backward shall leave the gradients here


class Sums:
    """The gradient at every node: what arrives from its children, added up from zero.

    The zero is not stored. The first array that arrives is a layer's; the sum with the second is
    one of ours, to which further ones are added in place.
    """

    def __init__(self, steps: int) -> None:
        self.at: list[Any] = [None] * steps
        self._ours: set[int] = set()

    def add(self, i: int, part: Any) -> None:
        """Add what a child passes back, None if nothing."""
        if part is None:
            return
        if self.at[i] is None:
            self.at[i] = part
        elif i in self._ours:
            self.at[i] += part
        else:
            self.at[i] = self.at[i] + part
            self._ours.add(i)


def input_arrays(title: str, names: Sequence[str], inputs: tuple[Any, ...]) -> list[np.ndarray]:
    """The inputs as arrays; a Python float beside floating arrays takes their dtype."""
    if len(inputs) != len(names):
        raise ValueError(
            f"{title} expected {len(names)} inputs "
            f"({', '.join(names)}), received {len(inputs)}; pass one array for each"
        )
    arrays = [x if type(x) is np.ndarray else as_array(x) for x in inputs]
    pairs = list(zip(inputs, arrays, strict=True))
    found = [a.dtype for x, a in pairs if type(x) is not float and a.dtype.kind == "f"]
    if found and len(found) < len(arrays):
        common = np.result_type(*found)
        arrays = [a.astype(common) if type(x) is float else a for x, a in pairs]
    return arrays


def gradients_of_parents(title: str, step: Step, dx: Any, values: Sequence[Any]) -> tuple[Any, ...]:
    """A layer's dx as one gradient per parent, None where it has none."""
    name, layer, parents = step[:3]
    if dx is None:
        return (None,) * len(parents)
    parts = dx if isinstance(dx, tuple) else (dx,)
    expected = [values[p].shape for p in parents]
    received = [np.shape(part) for part in parts]
    if len(parts) != len(parents) or any(
        part is not None and shape != wanted
        for part, shape, wanted in zip(parts, received, expected, strict=True)
    ):
        raise ValueError(
            f"{layer} at node {name!r} of {title} was expected to return gradients of the "
            f"shapes of its inputs {expected}, received {received}; mend its backward_pass"
        )
    return parts
