"""The layer protocol: what every layer, container and graph agrees on.

    y = layer.forward(x)               keeps in layer.cache what backward needs
    dx, grads = layer.backward(dy)     dy = dL/dy; grads has the keys and shapes of layer.params

A layer is written as three functions without hidden state, the three passes of [Proofs]:

    forward_pass(x)          -> y, cache
    backward_pass(dy, cache) -> dx
    gradient_pass(dy, cache) -> grads

Everything else here is made from them. A container calls the passes of its layers and keeps
their caches itself, so that one layer may stand at several places of a network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, Self

import numpy as np

from nnscratch.layers.caches import form_of, protected
from nnscratch.layers.listing import Listing, layers_in
from nnscratch.layers.params import Params, Structure
from nnscratch.layers.written import Page, code, written

__all__ = ["Layer"]

Out = Mapping[str, np.ndarray]
Grads = dict[str, np.ndarray]
NOWHERE: Out = MappingProxyType({})  # the `out` of a gradient pass that makes new arrays


def floating(x: Any, dtype: np.dtype | None = None) -> np.ndarray:
    """x as a floating array: of `dtype` if given, else its own, integers as float32."""
    x = np.asarray(x)
    if x.dtype == dtype:
        return x
    if x.dtype.kind not in "fiub":
        raise ValueError(f"expected real numbers, received an array of {x.dtype}")
    if dtype is None:
        dtype = x.dtype if x.dtype.kind == "f" else np.dtype(np.float32)
    return x.astype(dtype, copy=False)


def fitting(dy: Any, form: Any) -> Any:
    """dy in the dtype of the output with that form; for several outputs a tuple, None kept."""
    if isinstance(form, list):
        return tuple(
            None if part is None else fitting(part, of) for part, of in zip(dy, form, strict=True)
        )
    return floating(dy, form[1])


Walk = Iterator[tuple[str, "Layer"]]


class Layer:
    """A function y = f(x; params) that can also pass gradients back.

    A subclass sets `params` (and `buffers`) where it has any and writes the three passes; it
    need not call `Layer.__init__`. Where two passes share costly work it writes `backprop`
    instead, from which the two then follow.

    Several inputs are several arguments of `forward`, and dx is then a tuple. Several outputs are
    a tuple y, and dy then a tuple of the same length, None for an output that nothing came from.

    A layer may hold layers in its attributes, also in lists, tuples and dicts there. Their
    parameters are then its own, under dotted names such as "fc1.W" or "blocks.0.W", and its
    `gradient_pass` returns their gradients under these names.

    Attributes
    ----------
    params : Params
        The trainable arrays. Assign a dict once, in `__init__`; later assignments to a key
        write into the array.
    buffers : Params
        Params that are not trained, such as running statistics.
    training : bool
        Set by `train()` and `eval()`; Dropout and BatchNorm act on it.
    cache : object
        What the last `forward` kept for `backward`.
    layers : sequence of Layer
        The layers inside, for a container.
    takes_out : bool
        Whether `gradient_pass` has the parameter `out`, arrays to write gradients into.
    element_wise : bool
        Of a class: whether y_i depends on x_i alone, so that the layer does not mind how the
        numbers are arranged. Each class says so for itself: a subclass may compute otherwise.
    output_count : int or None
        How many outputs there are, for a layer with several that is called on nodes of a graph.
    takes_lengths : bool
        Whether `forward` takes `lengths`, how many steps of each sequence of a batch count.

    Examples
    --------
    A layer of one's own, y = s * x:

    >>> import nnscratch as nn
    >>> class Scale(nn.Layer):
    ...     def __init__(self):
    ...         self.params = {"s": np.ones(1, np.float32)}
    ...     def forward_pass(self, x):
    ...         return self.params["s"] * x, x
    ...     def backward_pass(self, dy, x):
    ...         return self.params["s"] * dy
    ...     def gradient_pass(self, dy, x):
    ...         return {"s": np.sum(dy * x, keepdims=True).reshape(1)}
    >>> layer = Scale()
    >>> layer.forward(np.array([[1, 2]], np.float32))
    array([[1., 2.]], dtype=float32)
    >>> dx, grads = layer.backward([[3, 4]])
    >>> dx, grads
    (array([[3., 4.]], dtype=float32), {'s': array([11.], dtype=float32)})
    """

    __slots__ = ("__dict__", "__weakref__", "_listed")  # the listing is no part of what is copied

    training: bool = True
    cache: Any = None
    layers: Sequence[Layer] = ()
    takes_out: bool = False
    element_wise: bool = False
    output_count: int | None = None
    takes_lengths: bool = False
    _params = Params()
    _buffers = Params()
    _form: Any = None  # of the last y: what dy must look like

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "gradient_pass" in vars(cls) and "takes_out" not in vars(cls):
            cls.takes_out = False  # the one that it replaces may have said otherwise

    # The three passes, written by each layer -----------------------------------------------

    def forward_pass(self, *inputs: Any, **options: Any) -> tuple[Any, Any]:
        """(y, cache): the function itself, and what the other two passes need of it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward_pass")

    def backward_pass(self, dy: Any, cache: Any) -> Any:
        """dx = dL/dx; a tuple of them for several inputs."""
        if type(self).backprop is Layer.backprop:
            raise NotImplementedError(f"{type(self).__name__} has no backward_pass")
        return self.backprop(dy, cache)[0]

    def gradient_pass(self, dy: Any, cache: Any) -> Grads:
        """dL/dp for every parameter p."""
        if type(self).backprop is Layer.backprop:
            return {}
        return self.backprop(dy, cache, need_dx=False)[1]

    def backprop(
        self, dy: Any, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        """Backward and gradient pass in one: (dx, grads), with dx None unless it is needed.

        `out` has arrays that gradients may be written into; frozen parameters have none.
        """
        dx = self.backward_pass(dy, cache) if need_dx else None
        if self._params.frozen or type(self).gradient_pass is Layer.gradient_pass:
            return dx, {}
        if self.takes_out:
            return dx, self.gradient_pass(dy, cache, out=out)  # type: ignore[call-arg]
        return dx, self.gradient_pass(dy, cache)

    # What is made from them ----------------------------------------------------------------

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """y = f(x); keeps in `cache` what `backward` needs. Options are those of `forward_pass`.

        Where `backward` still needs y itself, y is read-only: writing into it would give wrong
        gradients, so it is an error at once. `y.copy()` can be written to.
        """
        y, cache = self.forward_pass(*inputs, **options)
        self.remember(cache, form_of(y))
        return protected(y, cache)

    def __call__(self, *inputs: Any, name: str | None = None, **options: Any) -> Any:
        """`forward`; on nodes of a graph instead a node, which may be given a name."""
        for x in inputs:
            if hasattr(x, "node_of"):
                if options:
                    given = ", ".join(f"{key}=" for key in options)
                    raise ValueError(f"{self} expected {given} only with arrays, received nodes")
                return x.node_of(self, inputs, name)
        if name is not None:
            raise ValueError(f"{self} expected name={name!r} only with nodes, received arrays")
        return self.forward(*inputs, **options)

    def backward(self, dy: Any) -> tuple[Any, Grads]:
        """(dx, grads) for the last `forward`, from dy = dL/dy.

        Raises
        ------
        RuntimeError
            There was no `forward` before.
        ValueError
            dy has not the shape of y.
        """
        if self._form is None:
            raise RuntimeError(f"{self}.backward came before forward; call forward(x) first")
        return self.backprop(self._like_y(dy, self._form), self.cache)

    def _like_y(self, dy: Any, form: Any) -> Any:
        """dy in the dtype of y, after a look at its shape; for several outputs a tuple."""
        if isinstance(form, list):
            if not isinstance(dy, (tuple, list)) or len(dy) != len(form):
                raise ValueError(
                    f"{self}.backward expected a tuple of {len(form)} gradients, one for each "
                    f"output, received {type(dy).__name__}; give None for an output not used"
                )
            pairs = zip(dy, form, strict=True)
            return tuple(None if part is None else self._like_y(part, of) for part, of in pairs)
        shape, dtype = form
        dy = floating(dy, dtype)
        if dy.shape != shape:
            raise ValueError(
                f"{self}.backward expected dy of the shape of y {shape}, received {dy.shape}; "
                "pass dL/dy for the last forward"
            )
        return dy

    def remember(self, cache: Any, form: Any) -> None:
        """Keep what `backward` needs: the cache, and what dy must look like."""
        vars(self).update(cache=cache, _form=form)

    def forget(self) -> None:
        """Drop the cache; `backward` then asks for a new `forward`."""
        self.remember(None, None)

    # Layers inside, parameters, modes, dtype -----------------------------------------------

    wraps = False  # whether the parameters of the one layer inside keep their names

    def children(self) -> Walk:
        """(name, layer) for the layers directly inside: those in attributes, each once.

        The attribute `layers` is the protocol's own: it leaves no trace in the names, and a layer
        that stands there several times is used several times.
        """
        found: set[int] = set()
        for name, value in vars(self).items():
            if name not in _NOT_STRUCTURE:
                for path, layer in layers_in("" if name == "layers" else name, value, Layer):
                    if name == "layers" or id(layer) not in found:
                        yield path, layer
                    found.add(id(layer))

    def walk(self, path: str = "", above: frozenset[int] = frozenset()) -> Walk:
        """(path, layer) for this layer and every layer inside, as often as it is used.

        A reference back to a layer around this one, one of those `above`, is not followed.
        """
        yield path, self
        above |= {id(self)}
        for name, layer in self.children():
            if id(layer) not in above:
                yield from layer.walk(f"{path}.{name}" if path else name, above)

    @property
    def params(self) -> Params:
        listed: Listing | None = getattr(self, "_listed", None)
        if listed is None or listed.version != Structure.version:
            listed = self.listing
        return listed.params

    @params.setter
    def params(self, arrays: Mapping[str, Any]) -> None:
        self._params = _written_or_new(self._params, arrays)

    @property
    def buffers(self) -> Params:
        return self.listing.buffers

    @buffers.setter
    def buffers(self, arrays: Mapping[str, Any]) -> None:
        self._buffers = _written_or_new(self._buffers, arrays)

    @property
    def trained(self) -> tuple[str, ...]:
        """The names of the parameters that are not frozen."""
        return self.listing.trained

    @property
    def listing(self) -> Listing:
        """All arrays by name, made anew where the structure of a model has changed."""
        listed: Listing | None = getattr(self, "_listed", None)
        if listed is None or listed.version != Structure.version:
            listed = self._listed = Listing(self)
        return listed

    def freeze(self) -> Self:
        """Keep the parameters as they are: no gradient, step or decay. Returns the layer."""
        return self._set_frozen(True)

    def unfreeze(self) -> Self:
        """Train the parameters again. Returns the layer."""
        return self._set_frozen(False)

    def _set_frozen(self, frozen: bool) -> Self:
        for _, layer in self.walk():
            if layer._params:
                layer._params.frozen = frozen
        Structure.changed()
        return self

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of the parameters, which decides that of y; None without parameters."""
        return next((array.dtype for array in self.params.values()), None)

    def train(self, mode: bool = True) -> Self:
        """Switch to training: Dropout drops, BatchNorm uses the batch. Returns the layer."""
        for _, layer in self.walk():
            layer.training = mode
        return self

    def eval(self) -> Self:
        """Switch to evaluation. Returns the layer."""
        return self.train(False)

    def astype(self, dtype: Any) -> Self:
        """Convert params and buffers in place, dropping caches. Returns the layer."""
        dtype = np.dtype(dtype)
        if dtype.kind != "f":
            raise ValueError(f"{self}.astype expected a floating dtype, received {dtype}")
        for _, layer in self.walk():
            layer.forget()
            layer._params.astype(dtype)
            layer._buffers.astype(dtype)
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a layer, or what may hold layers, changes the structure."""
        before = vars(self).get(name)
        object.__setattr__(self, name, value)
        if isinstance(value, _MAY_HOLD) or isinstance(before, _MAY_HOLD):
            Structure.changed()

    def __delattr__(self, name: str) -> None:
        object.__delattr__(self, name)
        Structure.changed()

    def refuse(self, expected: str, x: Any, remedy: str) -> NoReturn:
        """Raise the ValueError that names this layer, what it expected and what it received.

        `x` is an array, of which the shape is told, or what is told.
        """
        shape = x.shape if isinstance(x, np.ndarray) else x
        raise ValueError(f"{self} expected {expected}, received {shape}; {remedy}")

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles leave the cache behind, as large as a batch, and who observes."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in ("cache", "_form", "_flat")
            and not getattr(type(value), "observes", False)
        }

    def written_on(self, page: Page) -> str:
        """The expression that builds this layer; asks `page.of` for the layers inside."""
        return written(self, page) if type(self).__repr__ is Layer.__repr__ else repr(self)

    def __repr__(self) -> str:
        return code(self)


_NOT_STRUCTURE = ("cache", "_form", "_flat")  # `_flat` is that of flat.py
_MAY_HOLD = (Layer, Params, list, tuple, dict)  # what a model's structure may hang on


def _written_or_new(old: Params, new: Mapping[str, Any]) -> Params:
    """A dict is written into the arrays that are there, which an optimizer may look at.

    Another layer's `Params` is taken as it is: the two layers then share their arrays.
    """
    if isinstance(new, Params):
        return new
    shapes = [{key: np.shape(array) for key, array in arrays.items()} for arrays in (old, new)]
    if old and shapes[0] == shapes[1]:
        old.update(new)
        return old
    return Params(new)
