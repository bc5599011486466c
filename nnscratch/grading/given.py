"""The library's layers in place of the student's: later items do not charge earlier mistakes again.

They live in the parent. What the student's code holds are stand-ins (sandbox/callbacks.py), from
which no formula can be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

LARGEST = 1_000_000  # numbers in all layers of a class that student code may ask for
MOST = 200  # layers that it may make


def given_function(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose errors speak of it and not of what it is made of here.

    Examples
    --------
    >>> given_function("product", np.matmul)(np.ones(3), 2)
    Traceback (most recent call last):
    ValueError: product does not take (array of shape (3,), 2): compare them with its docstring
    """

    def call(*arguments: Any, **keywords: Any) -> Any:
        try:
            return function(*arguments, **keywords)
        except Exception:
            named = [("", a) for a in arguments] + [(f"{k}=", a) for k, a in keywords.items()]
            shown = ", ".join(prefix + _described(a) for prefix, a in named)
            words = f"{name} does not take ({shown}): compare them with its docstring"
            raise ValueError(words) from None

    return call


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    return f"{value}" if isinstance(value, (int, float)) else f"a {type(value).__name__}"


class GivenLayers:
    """All the layers of one class that a student's code makes.

    Parameters
    ----------
    make : callable
        The class; its layers compute in float64.

    Attributes
    ----------
    forwards : int
        How often any of them ran forward.
    """

    METHODS = ("new", "forward", "backward")

    def __init__(self, make: Callable[..., Any]) -> None:
        self.make = make
        self.forwards = 0
        self._layers: list[Any] = []
        self._left = LARGEST

    def new(self, *arguments: Any, **keywords: Any) -> tuple[int, dict[str, np.ndarray]]:
        """The number of a new layer, and its parameters."""
        others = [value for key, value in keywords.items() if key != "rng"]
        sizes = [a for a in (*arguments, *others) if isinstance(a, int)]
        self._left -= math.prod(max(1, abs(size)) for size in sizes)
        if self._left < 0 or len(self._layers) >= MOST:
            raise ValueError(f"{self.make.__name__}{arguments} is too large for this task")
        layer = self.make(*arguments, **keywords).astype(np.float64)
        self._layers.append(layer)
        return len(self._layers) - 1, {name: np.array(a) for name, a in layer.params.items()}

    def forward(self, number: int, inputs: list[Any], params: dict[str, Any]) -> np.ndarray:
        """y of a layer with the parameters that its stand-in has now."""
        layer = self._with(number, params)
        self.forwards += 1
        return np.array(layer.forward(*inputs))

    def backward(
        self, number: int, dy: Any, params: dict[str, Any]
    ) -> tuple[Any, dict[str, np.ndarray]]:
        """dx and the gradients of a layer."""
        dx, grads = self._with(number, params).backward(dy)
        return dx, {name: np.array(gradient) for name, gradient in grads.items()}

    def _with(self, number: int, params: dict[str, Any]) -> Any:
        layer = self._layers[number]
        for name, array in layer.params.items():
            put = np.asarray(params[name]) if name in params else None
            if put is None or put.shape != array.shape:
                what = f"has shape {put.shape}" if put is not None else "is missing"
                raise ValueError(
                    f"params[{name!r}] of a {self.make.__name__} {what}; as it was made, "
                    f"it takes shape {array.shape}"
                )
            array[...] = put
        return layer
