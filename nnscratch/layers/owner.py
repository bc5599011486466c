"""What a layer owns: its arrays and the layers inside, under names, in a mode and a dtype."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nnscratch.layers.listing import Listing, layers_in
from nnscratch.layers.params import Params, Structure

if TYPE_CHECKING:
    from nnscratch.layers.base import Layer

Walk = Iterator[tuple[str, "Layer"]]


class Owner:
    """The half of `Layer` that computes nothing."""

    __slots__ = ("__dict__", "__weakref__", "_listed")  # the listing is no part of what is copied

    training: bool = True
    _params = Params()
    _buffers = Params()

    wraps = False  # whether the parameters of the one layer inside keep their names

    def children(self) -> Walk:
        """(name, layer) for the layers directly inside: those in attributes, each once.

        The attribute `layers` is the protocol's own: it leaves no trace in the names, and a layer
        that stands there several times is used several times.
        """
        found: set[int] = set()
        for name, value in vars(self).items():
            if name not in _NOT_STRUCTURE:
                for path, layer in layers_in("" if name == "layers" else name, value, Owner):
                    if name == "layers" or id(layer) not in found:
                        yield path, layer
                    found.add(id(layer))

    def walk(self: Any, path: str = "", above: frozenset[int] = frozenset()) -> Walk:
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
        if not isinstance(mode, (bool, np.bool_)):
            raise ValueError(
                f"{type(self).__name__}.train expected mode as True or False, received {mode!r:.60}"
            )
        for _, layer in self.walk():
            layer.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation. Returns the layer."""
        return self.train(False)

    def astype(self, dtype: Any) -> Self:
        """Convert params and buffers in place, dropping caches. Returns the layer.

        Buffers stay in float32 beside float16 parameters: a variance may be more than that holds.
        """
        try:
            known = isinstance(dtype, (str, type, np.dtype))  # NumPy takes None for float64
            kind = np.dtype(dtype) if known else None
        except (TypeError, ValueError):
            kind = None
        if kind is None or kind.kind != "f":
            raise ValueError(
                f"{self}.astype expected a floating dtype, such as np.float64, "
                f"received {dtype!r:.60}"
            )
        for _, layer in self.walk():
            layer.forget()
            layer._params.astype(kind)
            layer._buffers.astype(np.dtype(np.float32) if kind == np.float16 else kind)
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

    def __getstate__(self) -> dict[str, Any]:
        """Copies and pickles leave the cache behind, as large as a batch, and who observes."""
        return {
            name: value
            for name, value in vars(self).items()
            if name not in ("cache", "_form", "_flat", "part")
            and not getattr(type(value), "observes", False)
        }


_NOT_STRUCTURE = ("cache", "_form", "_flat")  # `_flat` is that of flat.py
_MAY_HOLD = (Owner, Params, list, tuple, dict)  # what a model's structure may hang on


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
