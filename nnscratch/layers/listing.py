"""All arrays of a model under their names: those of a layer, and of the layers inside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nnscratch.layers.params import NestedParams, Params, Structure

if TYPE_CHECKING:
    from nnscratch.layers.owner import Owner


_being_listed: set[tuple[int, int]] = set()  # (thread, layer) on the way down


class Listing:
    """The arrays of a layer and of all layers inside, under their names in that layer.

    Attributes
    ----------
    version : int
        That of the structure when it was made; another one makes it stale.
    layers : list of Layer
        Those directly inside.
    names : list of dict
        For each of them: its own name of a parameter -> the name here.
    params, buffers : Params
    trained : tuple of str
        The names of the parameters that are not frozen.
    each_once : bool
        Whether every layer inside stands there once and nothing is frozen, so that gradients have
        neither to be added up nor left out.
    first_trained : int
        The number of the first layer inside with such a parameter; how many there are if none.
    """

    def __init__(self, layer: Owner) -> None:
        self.version = Structure.version
        place = threading.get_ident(), id(layer)
        _being_listed.add(place)
        try:
            self._list(layer)
        finally:
            _being_listed.remove(place)

    def _list(self, layer: Owner) -> None:
        thread = threading.get_ident()  # a reference back to a layer around this one is left out
        children = [pair for pair in layer.children() if (thread, id(pair[1])) not in _being_listed]
        self.layers = [child for _, child in children]
        own = layer._params, layer._buffers
        if children:
            prefixes = ["" if layer.wraps else f"{name}." for name, _ in children]
            params = [child.params for child in self.layers]
            buffers = [child.buffers for child in self.layers]
            self.params: Params = NestedParams([("", own[0]), *zip(prefixes, params, strict=True)])
            self.buffers: Params = NestedParams(
                [("", own[1]), *zip(prefixes, buffers, strict=True)]
            )
            self.names = self.params.names[1:]
        else:
            self.params, self.buffers = own
            self.names = []
        self.trained = tuple(self.params.trained())
        self.each_once = len(self.trained) == sum(map(len, self.names))
        alive = set(self.trained)
        trained = (i for i, names in enumerate(self.names) if not alive.isdisjoint(names.values()))
        self.first_trained = next(trained, len(self.layers))


def layers_in(name: str, value: Any, kind: type[Owner]) -> Iterator[tuple[str, Any]]:
    """(name, layer) for the layers in an attribute's value, those in lists and dicts included."""
    if isinstance(value, kind):
        yield name, value
    elif isinstance(value, (list, tuple, dict)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inside in items:
            yield from layers_in(f"{name}.{key}" if name else str(key), inside, kind)
