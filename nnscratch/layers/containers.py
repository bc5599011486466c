"""Containers: layers made of layers.

A container calls the passes of its layers, keeps their caches in order, and replays them
backwards. It never looks at the cache that a layer keeps for itself, so the same layer object
may stand at several places; the gradients of its parameters then add up
([Recitation], "when to use = and when to use +=").
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple, overload

import numpy as np

from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import NOWHERE, Grads, Layer, Out, fitting, floating
from nnscratch.layers.caches import form_of
from nnscratch.layers.operators.arithmetic import Add
from nnscratch.layers.written import Page, call, written

__all__ = ["Residual", "Sequential"]


class Edge(NamedTuple):
    """A layer of a container, and where its inputs come from: other names, or "input"."""

    name: str
    layer: Layer
    sources: tuple[str, ...]


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

    A layer of several outputs passes them to the next one as its several inputs, and on the way
    back the next one's tuple dx is its tuple dy. `forward(x, lengths=...)` gives the lengths of
    sequences to the layers that take them.

    *Shapes*: those of the layers. `params` lists all arrays under dotted names: "0.W", "3.1.b".

    *Cache*: a list with each layer's cache and its output's form, that is shape and dtype.

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

    takes_out = True

    @checks_kinds
    def __init__(self, *layers: Layer) -> None:
        for i, layer in enumerate(layers):
            check_layer(layer, f"argument {i} of Sequential")
        self.layers: tuple[Layer, ...] = layers

    @property
    def takes_lengths(self) -> bool:  # type: ignore[override]  # a constant elsewhere
        return any(layer.takes_lengths for layer in self.layers)

    def forward_pass(self, *inputs: Any, lengths: Any = None) -> tuple[Any, Any]:
        steps = []
        y: Any = inputs if self.layers else tuple(floating(x) for x in inputs)
        if len(y) == 1:
            y = y[0]
        if lengths is not None:
            check_takers(self)
        for i, layer in enumerate(self.layers):
            forward: Any = layer.forward_pass
            if lengths is not None and layer.takes_lengths:
                forward = partial(forward, lengths=lengths)
            try:
                y, cache = forward(*y) if type(y) is tuple else forward(y)
            except ValueError as error:
                error.add_note(f"in layer {i} of Sequential: {layer.title}")
                raise
            steps.append((cache, form_of(y) if type(y) is tuple else (y.shape, y.dtype)))
        return y, steps

    def backward_pass(self, dy: Any, cache: Any) -> Any:
        for layer, (kept, form) in zip(reversed(self.layers), reversed(cache), strict=True):
            dy = layer.backward_pass(fitting(dy, form), kept)
        return dy

    def gradient_pass(self, dy: Any, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.backprop(dy, cache, out, need_dx=False)[1]

    def backprop(
        self, dy: Any, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        listing = self.listing
        grads: dict[str, Any] = dict.fromkeys(listing.trained)
        last = 0 if need_dx else listing.first_trained  # dx is needed down to here
        for i in range(len(self.layers) - 1, last - 1, -1):
            names = listing.names[i]
            free: Out = NOWHERE
            if names and out and listing.each_once:
                look_up: Any = out.get
                free = dict(zip(names, map(look_up, names.values()), strict=True))
            elif names and out:
                free = {k: out[n] for k, n in names.items() if n in out and grads.get(n) is None}
            kept, form = cache[i]
            if type(dy) is tuple or dy.dtype is not form[1]:
                dy = fitting(dy, form)  # parameters of several dtypes may follow one another
            dy, found = self.layers[i].backprop(dy, kept, free, need_dx or i > last)
            if found and listing.each_once:
                grads.update(zip(map(names.__getitem__, found), found.values(), strict=True))
            elif found:
                add_up(grads, names, found, out)
        return (dy if need_dx else None), grads

    def remember(self, cache: Any, form: Any) -> None:
        super().remember(cache, form)
        for layer, kept in zip(self.layers, cache or (), strict=False):
            layer.remember(*kept)

    def edges(self) -> list[Edge]:
        """Each layer with the one before it; see `Edge`."""
        sources = ("input", *map(str, range(len(self.layers))))
        return [Edge(str(i), layer, (sources[i],)) for i, layer in enumerate(self.layers)]

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

    def written_on(self, page: Page) -> str:
        if type(self).__init__ is not Sequential.__init__:  # which takes something else
            return written(self, page)
        return call(type(self).__name__, [page.of(layer) for layer in self.layers])


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

    takes_out = wraps = True

    @checks_kinds
    def __init__(self, layer: Layer) -> None:
        check_layer(layer, "the argument of Residual")
        self.layers: tuple[Layer] = (layer,)

    @property
    def takes_lengths(self) -> bool:  # type: ignore[override]  # a constant elsewhere
        return self.layers[0].takes_lengths

    def forward_pass(self, *inputs: Any, **lengths: Any) -> tuple[Any, Any]:
        y, cache = self.layers[0].forward_pass(*inputs, **lengths)
        parts = y if type(y) is tuple else (y,)
        shapes = [np.shape(x) for x in inputs]
        if shapes != [part.shape for part in parts]:
            self.refuse(
                f"an output of the input's shape {' and '.join(map(str, shapes))}",
                " and ".join(str(part.shape) for part in parts),
                "x + f(x) needs equal shapes",
            )
        sums = tuple(np.add(x, f, dtype=f.dtype) for x, f in zip(inputs, parts, strict=True))
        return (sums if type(y) is tuple else sums[0]), (cache, form_of(y))

    def backward_pass(self, dy: Any, cache: Any) -> Any:
        return _sum(dy, self.layers[0].backward_pass(dy, cache[0]))

    def gradient_pass(self, dy: Any, cache: Any, out: Out = NOWHERE) -> Grads:
        return self.layers[0].backprop(dy, cache[0], out, need_dx=False)[1]

    def backprop(
        self, dy: Any, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        df, grads = self.layers[0].backprop(dy, cache[0], out, need_dx)
        return (_sum(dy, df) if need_dx else None), grads

    def remember(self, cache: Any, form: Any) -> None:
        super().remember(cache, form)
        if cache is not None:
            self.layers[0].remember(*cache)

    def edges(self) -> list[Edge]:
        """The layer, and the sum that it and the input go to; see `Edge`."""
        return [Edge("0", self.layers[0], ("input",)), Edge("add", Add(), ("input", "0"))]

    def written_on(self, page: Page) -> str:
        return written(self, page, layer=self.layers[0])


def _sum(dy: Any, df: Any) -> Any:
    """dy + df, where df is None for integers, as those of an Embedding; for tuples one by one."""
    if isinstance(dy, tuple):
        return tuple(_sum(part, of) for part, of in zip(dy, df, strict=True))
    if df is None:
        return None
    return df if dy is None else dy + df


def add_up(grads: dict[str, Any], names: dict[str, str], found: Grads, out: Out) -> None:
    """Add the gradients that a use of a layer returned to those of its other uses.

    `names` has the layer's own name of a parameter -> its name in `grads`.
    """
    for key, grad in found.items():
        name = names[key]
        if name not in grads:  # it is frozen
            continue
        if grads[name] is not None:  # not in place: a layer may have returned dy itself
            grad = np.add(grads[name], grad, out=out.get(name))
        grads[name] = grad


def check_takers(model: Layer) -> None:
    """Refuse lengths that a layer inside would need and not get."""
    for layer in model.layers:
        if not layer.takes_lengths and any(inner.takes_lengths for _, inner in layer.walk()):
            raise ValueError(
                f"{layer} does not pass lengths on to the layers inside it; "
                "put these into the Sequential themselves"
            )
        for _, inner in layer.walk():
            if getattr(inner, "causal", True) is False:
                raise ValueError(
                    f"{inner} takes no lengths and would look at steps beyond them; make it "
                    "causal=True, or pass sequences of one length at a time"
                )
    if not model.takes_lengths:
        raise ValueError(
            f"{model.title} has no layer that takes lengths, such as LSTM or LastStep; "
            "leave them out"
        )


def check_layer(layer: Any, place: str) -> None:
    if isinstance(layer, Layer):
        return
    remedy = "pass layers one by one, as in Sequential(Linear(784, 10), ReLU())"
    if isinstance(layer, type) and issubclass(layer, Layer):
        remedy = f"write {layer.__name__}() with parentheses"
    elif isinstance(layer, (list, tuple)):
        remedy = "put a star before the list: Sequential(*layers)"
    raise ValueError(f"{place} is not a layer but {type(layer).__name__}; {remedy}")
