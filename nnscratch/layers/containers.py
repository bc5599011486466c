"""Containers: layers made of layers.

A container calls the passes of its layers, keeps their caches in order, and replays them
backwards. It never looks at the cache that a layer keeps for itself, so the same layer object
may stand at several places; the gradients of its parameters then add up
([Recitation], "when to use = and when to use +=").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

import numpy as np

from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, floating
from nnscratch.layers.params import NestedArrays

__all__ = ["Residual", "Sequential"]


class Sequential(Layer):
    """One layer after the other: y = f_n(... f_2(f_1(x))).

    Parameters
    ----------
    *layers : Layer
        In the order of the data's path; none at all is the identity. The first may take
        several inputs, which are then those of the Sequential.

    Notes
    -----
    *Forward*: x_i = f_i(x_{i-1}), with x_0 = x and y = x_n.

    *Backward*: the chain rule from the last layer to the first ([MatrixGradients],
    backpropagation): dL/dx_{i-1} = dL/dx_i · ∂x_i/∂x_{i-1}, each product by the layer itself.
    Parameters that occur several times get the sum of their gradients.

    *Shapes*: those of the layers. `params` is one flat dict with dotted names: "0.W", "3.1.b".

    *Cache*: a list with the cache and the output's shape and dtype of each layer.

    Raises
    ------
    ValueError
        An argument is not a layer.

    Examples
    --------
    >>> import nnscratch as nn
    >>> model = Sequential(nn.Linear(4, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, rng=1))
    >>> list(model.params)
    ['0.W', '0.b', '2.W', '2.b']
    >>> y = model.forward(np.ones((5, 4)))
    >>> dx, grads = model.backward(np.ones_like(y))
    >>> dx.shape, grads["2.W"].shape
    ((5, 4), (2, 3))
    """

    def __init__(self, *layers: Layer) -> None:
        for i, layer in enumerate(layers):
            check_layer(layer, f"argument {i} of Sequential")
        self.layers: tuple[Layer, ...] = layers
        params = NestedArrays((f"{i}.", layer.params) for i, layer in enumerate(layers))
        self.params, self._names = params, params.names
        self.buffers = NestedArrays((f"{i}.", layer.buffers) for i, layer in enumerate(layers))
        trained = [i for i, layer in enumerate(layers) if len(layer.params)]
        self._first_trained = trained[0] if trained else len(layers)  # dx is needed down to here

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        steps = []
        y = np.asarray(inputs[0]) if self.layers else floating(inputs[0])
        for i, layer in enumerate(self.layers):
            try:
                y, cache = layer.forward_pass(*(inputs if i == 0 else (y,)))
            except ValueError as error:
                error.add_note(f"in layer {i} of Sequential: {layer}")
                raise
            steps.append((cache, y.shape, y.dtype))
        return y, steps

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray:
        for layer, (kept, _, dtype) in zip(reversed(self.layers), reversed(cache), strict=True):
            dy = layer.backward_pass(floating(dy, dtype), kept)
        return dy

    def gradient_pass(self, dy: np.ndarray, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.backprop(dy, cache, out, need_dx=False)[1]

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        grads: dict[str, Any] = dict.fromkeys(self.params)
        last = 0 if need_dx else self._first_trained
        for i in range(len(self.layers) - 1, last - 1, -1):
            names = self._names[i]
            free = {k: out[n] for k, n in names.items() if n in out and grads[n] is None}
            kept, _, dtype = cache[i]
            dy = floating(dy, dtype)  # parameters of several dtypes may follow one another
            dy, found = self.layers[i].backprop(dy, kept, free, need_dx or i > last)
            for key, grad in found.items():
                name = names[key]
                if grads[name] is None:
                    grads[name] = grad
                else:  # not in place: a layer may have returned dy itself
                    grads[name] = np.add(grads[name], grad, out=out.get(name))
        return (dy if need_dx else None), grads

    def remember(self, cache: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
        super().remember(cache, shape, dtype)
        for layer, kept in zip(self.layers, cache, strict=True):
            layer.remember(*kept)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    @overload
    def __getitem__(self, index: int) -> Layer: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Layer:
        """The layer at an index, or the Sequential of a slice, which shares its layers."""
        if isinstance(index, slice):
            return Sequential(*self.layers[index])
        return self.layers[index]

    def __repr__(self) -> str:
        lines = (f"{i}: {layer!r}".replace("\n", "\n  ") for i, layer in enumerate(self.layers))
        return "Sequential(" + "".join(f"\n  {line}," for line in lines) + "\n)"


class Residual(Layer):
    """A shortcut around a layer: y = x + f(x).

    Parameters
    ----------
    layer : Layer
        f; its output has the shape of its input. `params` has f's own names.

    Notes
    -----
    *Forward*: y = x + f(x).

    *Backward*: x has two children, so its gradients add up ([Recitation], rule 4(b)):
    dx = dy + (∂f/∂x)ᵀ dy.

    *Cache*: that of f.

    Raises
    ------
    ValueError
        f(x) has another shape than x.

    References
    ----------
    He et al., Deep residual learning for image recognition (2015), section 3.2.

    Examples
    --------
    >>> import nnscratch as nn
    >>> block = Residual(nn.ReLU())
    >>> block.forward(np.array([-1.0, 2.0]))
    array([-1.,  4.])
    >>> block.backward(np.array([10.0, 10.0]))[0]
    array([10., 20.])
    """

    def __init__(self, layer: Layer) -> None:
        check_layer(layer, "the argument of Residual")
        self.layers: tuple[Layer] = (layer,)
        self.params = NestedArrays([("", layer.params)])
        self.buffers = NestedArrays([("", layer.buffers)])

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        (layer,) = self.layers
        x = np.asarray(x)
        y, cache = layer.forward_pass(x)
        if y.shape != x.shape:
            self.refuse(
                f"an output of the input's shape {x.shape}", y, "x + f(x) needs equal shapes"
            )
        return np.add(x, y, dtype=y.dtype), (cache, y.shape, y.dtype)

    def backward_pass(self, dy: np.ndarray, cache: Any) -> np.ndarray | None:
        df = self.layers[0].backward_pass(dy, cache[0])
        return None if df is None else dy + df  # None: x is integers, as for an Embedding

    def gradient_pass(self, dy: np.ndarray, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.layers[0].backprop(dy, cache[0], out, need_dx=False)[1]

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        df, grads = self.layers[0].backprop(dy, cache[0], out, need_dx)
        return (None if df is None else dy + df), grads

    def remember(self, cache: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
        super().remember(cache, shape, dtype)
        self.layers[0].remember(*cache)

    def __repr__(self) -> str:
        return f"Residual({self.layers[0]!r})"


def check_layer(layer: Any, place: str) -> None:
    if isinstance(layer, Layer):
        return
    remedy = "pass layers one by one, as in Sequential(Linear(784, 10), ReLU())"
    if isinstance(layer, type) and issubclass(layer, Layer):
        remedy = f"write {layer.__name__}() with parentheses"
    elif isinstance(layer, (list, tuple)):
        remedy = "put a star before the list: Sequential(*layers)"
    raise ValueError(f"{place} is not a layer but {type(layer).__name__}; {remedy}")
