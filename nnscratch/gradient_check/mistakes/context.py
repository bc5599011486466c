"""What a diagnosis may look at: the arrays around a gradient."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnscratch.layers.operators.arithmetic import sum_to_shape

Candidates = Iterator[tuple[str, str]]  # (code, what exactly), for every hypothesis that fits


@dataclass(frozen=True)
class Context:
    """The arrays that were at hand when a gradient was computed; all are optional.

    Attributes
    ----------
    array : str
        The gradient's name: "dx", "dx[1]", or that of a parameter.
    inputs : sequence of arrays
        What `forward` received.
    dy, y : array or None
    params : mapping of str to array
    others : mapping of str to array
        The right gradients of the other arrays, by their names.
    returned : mapping of str to array
        What was returned for the other arrays.
    previous : array or None
        The right gradient of the call before, which a stale cache or a sum would show.
    alternatives : mapping of str to sequence of arrays
        For a code what the gradient would be by that mistake, where it takes more than the
        arrays here to tell, such as the gradient of the first sample alone.
    tolerance : float
        Two arrays are equal if they differ by no more than this share of the largest element.

    Examples
    --------
    >>> context = Context("dx[1]", inputs=(np.zeros(3), np.ones(3)))
    >>> context.own
    array([1., 1., 1.])
    """

    array: str = "dx"
    inputs: Sequence[Any] = ()
    dy: np.ndarray | None = None
    y: np.ndarray | None = None
    params: Mapping[str, np.ndarray] = field(default_factory=dict)
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    returned: Mapping[str, Any] = field(default_factory=dict)
    previous: np.ndarray | None = None
    alternatives: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
    tolerance: float = 1e-5

    @property
    def index(self) -> int | None:
        """Which input the gradient belongs to; None for a parameter."""
        if self.array == "dx":
            return 0
        return int(self.array[3:-1]) if self.array.startswith("dx[") else None

    @property
    def own(self) -> np.ndarray | None:
        """The array that the gradient belongs to."""
        if self.index is None:
            return self.params.get(self.array)
        return _array(self.inputs[self.index]) if self.index < len(self.inputs) else None

    @property
    def batch(self) -> int | None:
        """The number of samples: the first size of the first input."""
        first = _array(self.inputs[0]) if self.inputs else None
        return len(first) if first is not None and first.ndim else None

    @property
    def name(self) -> str:
        """The gradient as it is written: dx, or dW for the parameter W."""
        return self.array if self.index is not None else "d" + self.array

    def operands(self) -> dict[str, np.ndarray]:
        """The floating arrays that a formula may be made of, by the names of formulas."""
        names = ["x"] if len(self.inputs) == 1 else [f"input {i}" for i in range(len(self.inputs))]
        found = {n: _array(x) for n, x in zip(names, self.inputs, strict=True)} | dict(self.params)
        return {n: a for n, a in found.items() if a is not None and a.dtype.kind == "f"}

    def close(self, a: np.ndarray, b: np.ndarray) -> bool:
        """Whether a and b are equal up to the tolerance; NaN in b stands for "not known"."""
        if a.shape != b.shape:
            return False
        known = ~np.isnan(b)
        a, b = a[known], b[known]
        if not a.size:
            return True
        if not np.isfinite(b).all():
            return bool(np.array_equal(a, b, equal_nan=True))
        with np.errstate(all="ignore"):
            scale = np.max(np.abs(b))
            return bool(np.max(np.abs(a - b)) <= self.tolerance * scale + 1e-12)


def _array(value: Any) -> np.ndarray | None:
    return value if isinstance(value, np.ndarray) else None


def summed_to(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray | None:
    """The array summed over what broadcasting added to `shape`; None where it does not fit."""
    added = array.ndim - len(shape)
    if added < 0:
        return None
    kept = array.shape[added:]
    if any(have != want and want != 1 for have, want in zip(kept, shape, strict=True)):
        return None
    return sum_to_shape(array, shape, array.dtype)
