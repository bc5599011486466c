"""What torch calls the arrays of a model, and how it shapes and orders them.

    "0.W", "0.b"                      "0.weight", "0.bias"
    "1.gamma", "1.running_mean"       "1.weight", "1.running_mean", "1.num_batches_tracked"

Layers without parameters have their numbers there as here, so no number is shifted. Most arrays
have another name only; a kernel that is flipped there, or three matrices that are one, say how
they are turned into one another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from nnscratch.layers import (
    BatchNorm,
    Bidirectional,
    Convolution1d,
    Convolution2d,
    GRUCell,
    Layer,
    LSTMCell,
    MultiHeadAttention,
    RNNCell,
    TransformerBlock,
    Unroll,
)
from nnscratch.layers.sequence.weights import Recurrence

NAMES = {"W": "weight", "b": "bias", "gamma": "weight", "beta": "bias", "slope": "weight"}
RECURRENT = {"W_x": "weight_ih", "W_h": "weight_hh", "b_x": "bias_ih", "b_h": "bias_hh"}
# Attributes of torch's TransformerEncoderLayer with norm_first=True
PARTS: dict[type[Layer], dict[str, str]] = {
    TransformerBlock: {"attention": "self_attn", "hidden": "linear1", "output": "linear2"},
}
WHOLE = (Bidirectional, Unroll)  # what is inside of them is no module in torch

Arrays = Sequence[np.ndarray]


class Entry(NamedTuple):
    """An array in the file, and the arrays here that it is made of.

    Attributes
    ----------
    name : str
        In the file.
    ours : tuple of str
        The names here; none for what only torch has.
    to_torch : function (arrays) -> array
    from_torch : function (array) -> arrays
    """

    name: str
    ours: tuple[str, ...]
    to_torch: Callable[[Arrays], np.ndarray]
    from_torch: Callable[[np.ndarray], Arrays]


def entries(model: Layer, names: Mapping[str, str]) -> Iterator[Entry]:
    """What stands in the file, layer by layer.

    Raises
    ------
    ValueError
        A key of `names` is no layer and no array of the model.
    """
    unused = set(names)
    for place, path, layer, own in uses(model, "", "", names):
        for entry in special_or_plain(layer):
            ours = tuple(own[name] for name in entry.ours)
            key = next((name for name in ours if name in names), None)
            name = names[key] if key else f"{path}.{entry.name}".lstrip(".")
            yield entry._replace(name=name, ours=ours)
            unused.discard(key or "")
        unused.discard(place)
    if unused:
        raise ValueError(
            f"names= has {min(unused)!r}, which is no layer or array of the model; the "
            f"arrays are {', '.join(list(model.params)[:8])}"
        )


def uses(
    layer: Layer,
    place: str,
    path: str,
    names: Mapping[str, str],
    own: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, str, Layer, Mapping[str, str]]]:
    """(place, torch's path, layer, its own name of an array -> the model's) for each use."""
    path = names.get(place, path)
    own = {name: name for name in (*layer.params, *layer.buffers)} if own is None else own
    children = [] if isinstance(layer, WHOLE) else list(layer.children())
    yield place, path, layer, own
    if not children:
        return
    lists = [layer.params.names, layer.buffers.names]  # type: ignore[attr-defined]  # NestedParams
    parts = PARTS.get(type(layer), {})
    for (name, child), *maps in zip(children, *(found[1:] for found in lists), strict=True):
        inner = {key: own[here] for found in maps for key, here in found.items()}
        deeper = (
            (place, path) if layer.wraps else (_at(place, name), _at(path, parts.get(name, name)))
        )
        yield from uses(child, *deeper, names, inner)


def _at(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def special_or_plain(layer: Layer) -> list[Entry]:
    """The entries of a layer's own arrays, with the names that torch gives them in its layer."""
    for kind in type(layer).__mro__:
        if kind in _SPECIAL:
            return _SPECIAL[kind](layer)
    return _plain(layer)


def _plain(layer: Layer) -> list[Entry]:
    """The arrays of the layer itself, one by one."""
    own = (*layer._params, *layer._buffers)
    return [_renamed(name, NAMES.get(name, name)) for name in own]


def _convolution(layer: Layer) -> list[Entry]:
    """torch's layers correlate, so a kernel of ours is theirs flipped."""

    def flipped(W: np.ndarray) -> np.ndarray:
        return np.flip(W, tuple(range(2, W.ndim)))

    W, *others = _plain(layer)
    return [
        W._replace(to_torch=lambda a: flipped(a[0]), from_torch=lambda a: [flipped(a)]),
        *others,
    ]


def _batch_norm(layer: Layer) -> list[Entry]:
    """torch counts the batches always, which matters where momentum is None."""
    entries = [entry for entry in _plain(layer) if entry.name != "batches"]
    ours = ("batches",) if "batches" in layer._buffers else ()
    count = Entry(
        "num_batches_tracked",
        ours,
        lambda a: a[0] if a else np.zeros((), np.int64),
        lambda a: [a] if ours else [],
    )
    return [*entries, count]


def _recurrent(layer: Layer) -> list[Entry]:
    """A cell, or a layer, whose names say the number of the layer and the direction."""
    cells = (RNNCell, GRUCell, LSTMCell)
    end = "" if isinstance(layer, cells) else "_l0"
    return [_renamed(name, RECURRENT[name] + end) for name in layer.params]


def _both_directions(layer: Layer) -> list[Entry]:
    """One module in torch."""
    found = []
    for name in layer.params:
        direction, _, own = name.rpartition(".")
        found.append(_renamed(name, RECURRENT[own] + "_l0" + "_reverse" * (direction == "reverse")))
    return found


def _multi_head(layer: Layer) -> list[Entry]:
    """torch has q, k and v in one matrix, one below the other."""

    def apart(stacked: np.ndarray) -> Arrays:
        return np.split(stacked, 3)

    found = []
    for kind, name in (("W", "weight"), ("b", "bias")):
        if f"{kind}_o" in layer.params:
            ours = tuple(f"{kind}_{part}" for part in "qkv")
            found.append(Entry(f"in_proj_{name}", ours, np.concatenate, apart))
            found.append(_renamed(f"{kind}_o", f"out_proj.{name}"))
    return found


def _renamed(ours: str, name: str) -> Entry:
    return Entry(name, (ours,), lambda a: a[0], lambda a: [a])


_SPECIAL: dict[type[Layer], Callable[[Layer], list[Entry]]] = {
    Recurrence: _recurrent,
    Unroll: _recurrent,
    Bidirectional: _both_directions,
    MultiHeadAttention: _multi_head,
    BatchNorm: _batch_norm,
    Convolution1d: _convolution,
    Convolution2d: _convolution,
}
