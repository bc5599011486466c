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

import inspect
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NoReturn, Self

import numpy as np

from nnscratch.layers.params import Arrays

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


class Layer:
    """A function y = f(x; params) that can also pass gradients back.

    A subclass sets `params` (and `buffers`) where it has any and writes the three passes; it
    need not call `Layer.__init__`.

    Attributes
    ----------
    params : Arrays
        The trainable arrays. Assign a dict once, in `__init__`; later assignments to a key
        write into the array.
    buffers : Arrays
        Arrays that are not trained, such as running statistics.
    training : bool
        Set by `train()` and `eval()`; Dropout and BatchNorm act on it.
    cache : object
        What the last `forward` kept for `backward`.
    layers : sequence of Layer
        The layers inside, for a container.
    element_wise : bool
        Of a class: whether y_i depends on x_i alone, so that the layer does not mind how the
        numbers are arranged. Each class says so for itself: a subclass may compute otherwise.

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
    element_wise: bool = False
    _params = Arrays()
    _buffers = Arrays()
    _output: tuple[tuple[int, ...], np.dtype] | None = None  # shape and dtype of the last y

    _takes_out = False  # whether gradient_pass has the optional `out`

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._takes_out = "out" in inspect.signature(cls.gradient_pass).parameters

    # The three passes, written by each layer -----------------------------------------------

    def forward_pass(self, *inputs: Any) -> tuple[np.ndarray, Any]:
        """(y, cache): the function itself, and what the other two passes need of it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward_pass")

    def backward_pass(self, dy: np.ndarray, cache: Any) -> Any:
        """dx = dL/dx; a tuple of them for several inputs."""
        if type(self).backprop is Layer.backprop:
            raise NotImplementedError(f"{type(self).__name__} has no backward_pass")
        return self.backprop(dy, cache)[0]

    def gradient_pass(self, dy: np.ndarray, cache: Any) -> Grads:
        """dL/dp for every parameter p; may take `out`, arrays to write them into."""
        if type(self).backprop is Layer.backprop:
            return {}
        return self.backprop(dy, cache, need_dx=False)[1]

    # What is made from them ----------------------------------------------------------------

    def forward(self, *inputs: Any) -> np.ndarray:
        """y = f(x); keeps in `cache` what `backward` needs."""
        y, cache = self.forward_pass(*inputs)
        self.remember(cache, y.shape, y.dtype)
        return y

    def __call__(self, *inputs: Any, name: str | None = None) -> Any:
        """`forward`; on nodes of a graph instead a node, which may be given a name."""
        for x in inputs:
            if hasattr(x, "node_of"):
                return x.node_of(self, inputs, name)
        if name is not None:
            raise ValueError(f"{self} expected name={name!r} only with nodes, received arrays")
        return self.forward(*inputs)

    def backward(self, dy: Any) -> tuple[Any, Grads]:
        """(dx, grads) for the last `forward`, from dy = dL/dy.

        Raises
        ------
        RuntimeError
            There was no `forward` before.
        ValueError
            dy has not the shape of y.
        """
        if self._output is None:
            raise RuntimeError(f"{self}.backward came before forward; call forward(x) first")
        shape, dtype = self._output
        dy = floating(dy, dtype)
        if dy.shape != shape:
            raise ValueError(
                f"{self}.backward expected dy of the shape of y {shape}, received {dy.shape}; "
                "pass dL/dy for the last forward"
            )
        return self.backprop(dy, self.cache)

    def backprop(
        self, dy: np.ndarray, cache: Any, out: Out = NOWHERE, need_dx: bool = True
    ) -> tuple[Any, Grads]:
        """Backward and gradient pass in one: (dx, grads), with dx None unless it is needed.

        A layer whose two passes share costly work overrides this.
        """
        dx = self.backward_pass(dy, cache) if need_dx else None
        return dx, self.gradient_pass(dy, cache, **({"out": out} if self._takes_out else {}))

    def remember(self, cache: Any, shape: tuple[int, ...], dtype: np.dtype) -> None:
        """Keep what `backward` needs: the cache, and what dy must look like."""
        self.cache, self._output = cache, (shape, dtype)

    def forget(self) -> None:
        """Drop the cache; `backward` then asks for a new `forward`."""
        self.cache, self._output = None, None

    # Parameters, modes, dtype --------------------------------------------------------------

    @property
    def params(self) -> Arrays:
        return self._params

    @params.setter
    def params(self, arrays: Mapping[str, Any]) -> None:
        self._params = _written_or_new(self._params, arrays)

    @property
    def buffers(self) -> Arrays:
        return self._buffers

    @buffers.setter
    def buffers(self, arrays: Mapping[str, Any]) -> None:
        self._buffers = _written_or_new(self._buffers, arrays)

    @property
    def dtype(self) -> np.dtype | None:
        """The dtype of the parameters, which decides that of y; None without parameters."""
        return next((array.dtype for array in self.params.values()), None)

    def walk(self, path: str = "") -> Iterator[tuple[str, Layer]]:
        """(path, layer) for this layer and every layer inside, as often as it is used."""
        yield path, self
        for i, layer in enumerate(self.layers):
            yield from layer.walk(f"{path}.{i}" if path else str(i))

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
            layer.params.astype(dtype)
            layer.buffers.astype(dtype)
        return self

    def refuse(self, expected: str, x: np.ndarray | tuple[int, ...], remedy: str) -> NoReturn:
        """Raise the ValueError that names this layer, what it expected and what it received."""
        shape = x.shape if isinstance(x, np.ndarray) else x
        raise ValueError(f"{self} expected {expected}, received {shape}; {remedy}")

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles leave the cache behind, as large as a batch, and who observes."""
        return {
            name: value
            for name, value in self.__dict__.items()
            if name not in ("cache", "_output") and not getattr(type(value), "observes", False)
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _written_or_new(old: Arrays, new: Mapping[str, Any]) -> Arrays:
    """A dict is written into the arrays that are there, which a container may look at.

    Another layer's `Arrays` is taken as it is: the two layers then share their arrays.
    """
    if isinstance(new, Arrays):
        return new
    shapes = [{key: np.shape(array) for key, array in arrays.items()} for arrays in (old, new)]
    if old and shapes[0] == shapes[1]:
        old.update(new)
        return old
    return Arrays(new)
