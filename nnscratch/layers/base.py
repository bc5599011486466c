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

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn

import numpy as np

from nnscratch.asking import answers
from nnscratch.kinds import NotNumbersError, as_array
from nnscratch.layers.caches import form_of, protected
from nnscratch.layers.owner import Owner
from nnscratch.layers.written import Page, code, written
from nnscratch.words import OF_LAYERS, SET_ON_LAYERS

__all__ = ["Layer"]

Out = Mapping[str, np.ndarray]
Grads = dict[str, np.ndarray]
NOWHERE: Out = MappingProxyType({})  # the `out` of a gradient pass that makes new arrays


def floating(x: Any, dtype: np.dtype | None = None) -> np.ndarray:
    """x as a floating array: of `dtype` if given, else its own, integers as float32."""
    if type(x) is not np.ndarray:
        x = as_array(x)
    if x.dtype == dtype:
        return x
    if x.dtype.kind not in "fiub":
        raise NotNumbersError(f"expected real numbers, received an array of {x.dtype}")
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


@answers(OF_LAYERS, SET_ON_LAYERS)
class Layer(Owner):
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
    buffers_are_constant : bool
        Whether training leaves the buffers as they are, so that they say nothing of a batch.

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

    training: bool = True
    cache: Any = None
    layers: Sequence[Layer] = ()
    takes_out: bool = False
    element_wise: bool = False
    output_count: int | None = None
    takes_lengths: bool = False
    buffers_are_constant: bool = False
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
            return dx, self.gradient_pass(dy, cache, out=out)  # type: ignore[call-arg]  # it says so
        return dx, self.gradient_pass(dy, cache)

    # What is made from them ----------------------------------------------------------------

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """y = f(x); keeps in `cache` what `backward` needs. Options are those of `forward_pass`.

        Where `backward` still needs y itself, y is read-only: writing into it would give wrong
        gradients, so it is an error at once. `y.copy()` can be written to.
        """
        try:
            y, cache = self.forward_pass(*inputs, **options)
        except NotNumbersError as error:
            raise ValueError(f"{self.title} {error}") from None
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
            raise RuntimeError(f"{self.title}.backward came before forward; call forward(x) first")
        try:
            dy = self._like_y(dy, self._form)
        except NotNumbersError as error:
            raise ValueError(f"{self.title}.backward {error}") from None
        return self.backprop(dy, self.cache)

    def _like_y(self, dy: Any, form: Any) -> Any:
        """dy in the dtype of y, after a look at its shape; for several outputs a tuple."""
        if isinstance(form, list):
            if not isinstance(dy, (tuple, list)) or len(dy) != len(form):
                raise ValueError(
                    f"{self.title}.backward expected a tuple of {len(form)} gradients, one for "
                    f"each output, received {type(dy).__name__}; give None for an output not used"
                )
            pairs = zip(dy, form, strict=True)
            return tuple(None if part is None else self._like_y(part, of) for part, of in pairs)
        shape, dtype = form
        dy = floating(dy, dtype)
        if dy.shape != shape:
            raise ValueError(
                f"{self.title}.backward expected dy of the shape of y {shape}, received "
                f"{dy.shape}; pass dL/dy for the last forward"
            )
        return dy

    def remember(self, cache: Any, form: Any) -> None:
        """Keep what `backward` needs: the cache, and what dy must look like."""
        vars(self).update(cache=cache, _form=form)

    def forget(self) -> None:
        """Drop the cache; `backward` then asks for a new `forward`."""
        self.remember(None, None)

    def refuse(self, expected: str, x: Any, remedy: str) -> NoReturn:
        """Raise the ValueError that names this layer, what it expected and what it received.

        `x` is an array, of which the shape is told, or what is told.
        """
        shape = x.shape if isinstance(x, np.ndarray) else x
        raise ValueError(f"{self} expected {expected}, received {shape}; {remedy}")

    def written_on(self, page: Page) -> str:
        """The expression that builds this layer; asks `page.of` for the layers inside."""
        return written(self, page) if type(self).__repr__ is Layer.__repr__ else repr(self)

    @property
    def title(self) -> str:
        """What errors call the layer: its code, where that fits into a sentence."""
        return repr(self)

    def __repr__(self) -> str:
        return code(self)
