"""Weights as torch names, shapes and orders them, in a `.safetensors` file.

    "0.W", "0.b"                      "0.weight", "0.bias"
    "1.gamma", "1.running_mean"       "1.weight", "1.running_mean", "1.num_batches_tracked"

What is written is the state_dict of the same model in torch, which `load_state_dict` takes with
strict=True; what torch wrote is read. Layers without parameters have their numbers there as here,
so no number is shifted.

The memory of a W need not be in C order here: a flat vector may hold it, or its transpose. The
functions of the package safetensors write an array's memory as it lies, so whoever calls them on
`model.params` gives them `np.ascontiguousarray(W)`, as is done here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from nnscratch.files import atomic_write, open_regular, printable
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
PARTS: dict[
    type[Layer], dict[str, str]
] = {  # of torch's TransformerEncoderLayer with norm_first=True
    TransformerBlock: {"attention": "self_attn", "hidden": "linear1", "output": "linear2"},
}
DTYPES = {"F64": "f8", "F32": "f4", "F16": "f2", "BOOL": "?"} | {
    f"{kind}{8 * size}": f"{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)
}

LONGEST_TEXT = 2**22

Path = str | os.PathLike[str]
Arrays = Sequence[np.ndarray]


class Stored:
    """An array in a file: shape and dtype are known, np.asarray reads it.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy.dtype
    read : function () -> array
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype, read: Callable[[], np.ndarray]
    ) -> None:
        self.shape, self.dtype, self.read = shape, dtype, read

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.read(), dtype)


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


def write(path: Path, model: Layer, names: Mapping[str, str], text: str) -> None:
    """Write the model's arrays under torch's names, and the text beside them."""
    arrays = {**model.params, **model.buffers}
    tensors = {
        entry.name: np.array(entry.to_torch([arrays[name] for name in entry.ours]), order="C")
        for entry in entries(model, names)
    }
    about = {"format": "pt"} | ({"architecture": text} if len(text) <= LONGEST_TEXT else {})
    content = _library().numpy.save(tensors, about)
    with atomic_write(path) as file:
        file.write(content)


def read(path: Path, model: Layer, names: Mapping[str, str]) -> dict[str, Stored]:
    """The model's arrays by their names here, not read yet."""
    found, _ = stored_arrays(path)
    arrays = {**model.params, **model.buffers}
    wanted = list(entries(model, names))
    _check_names(path, wanted, found)
    stored: dict[str, Stored] = {}
    for entry in wanted:
        own = [arrays[name] for name in entry.ours]
        tensor = found.get(entry.name)
        if tensor is None:  # the count of batches, which old files lack
            continue
        expected = entry.to_torch(own)
        if tensor.shape != expected.shape:
            raise ValueError(
                f"{os.fspath(path)} does not fit the model: {entry.name} is {tensor.shape}, "
                f"expected {expected.shape}; build the model as it was when it was saved"
            )
        for i, name in enumerate(entry.ours):
            array = Stored(own[i].shape, tensor.dtype, _part(entry, tensor, i))
            if name in stored and not np.array_equal(stored[name], array):
                raise ValueError(
                    f"{os.fspath(path)}: {entry.name} differs from {name} under its other name, "
                    "and the two are one array in the model"
                )
            stored[name] = array
    return stored


def stored_arrays(path: Path) -> tuple[dict[str, Stored], str | None]:
    """(the tensors of a file under its names, none of them read yet; the text beside them)."""
    with open_regular(path):
        pass
    try:
        file = _library().safe_open(os.fspath(path), framework="numpy")
        found = {name: _stored(file, name) for name in file.keys()}  # noqa: SIM118, no mapping
        text = (file.metadata() or {}).get("architecture")
    except OSError:
        raise
    except Exception as error:
        raise ValueError(
            f"{os.fspath(path)} is damaged or no .safetensors file ({printable(str(error))}); "
            "use a file that nnscratch.save or torch's safetensors wrote"
        ) from error
    return found, text


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
    path = names.get(place, path) if place else path
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
    found = []
    for kind, name in (("W", "weight"), ("b", "bias")):
        if f"{kind}_o" in layer.params:
            ours = tuple(f"{kind}_{part}" for part in "qkv")
            split = lambda a: np.split(a, 3)  # noqa: E731
            found.append(Entry(f"in_proj_{name}", ours, np.concatenate, split))
            found.append(_renamed(f"{kind}_o", f"out_proj.{name}"))
    return found


def _renamed(ours: str, name: str) -> Entry:
    return Entry(name, (ours,), lambda a: a[0], lambda a: [a])


WHOLE = (Bidirectional, Unroll)  # what is inside of them is no module in torch

_SPECIAL: dict[type[Layer], Callable[[Layer], list[Entry]]] = {
    Recurrence: _recurrent,
    Unroll: _recurrent,
    Bidirectional: _both_directions,
    MultiHeadAttention: _multi_head,
    BatchNorm: _batch_norm,
    Convolution1d: _convolution,
    Convolution2d: _convolution,
}


def _part(entry: Entry, tensor: Stored, i: int) -> Callable[[], np.ndarray]:
    return lambda: entry.from_torch(np.asarray(tensor))[i]


def _check_names(path: Path, wanted: list[Entry], found: Mapping[str, Stored]) -> None:
    names = {entry.name for entry in wanted}
    missing = [e.name for e in wanted if e.name not in found and e.ours]
    extra = [name for name in found if name not in names]
    if missing or extra:
        told = [
            f"{word} {', '.join(map(printable, some[:6]))}"
            + (f" and {len(some) - 6} more" if len(some) > 6 else "")
            for word, some in (("missing", missing), ("extra", extra))
            if some
        ]
        raise ValueError(
            f"{os.fspath(path)} does not fit the model: {'; '.join(told)}; build the model as it "
            "was when it was saved, or tell torch's names by names={'0': 'conv1'}"
        )


def _stored(file: Any, name: str) -> Stored:
    part = file.get_slice(name)
    dtype = part.get_dtype()
    if dtype not in DTYPES:
        raise ValueError(f"{name[:60]!r} holds {dtype}, which NumPy has not; convert it to F32")
    return Stored(tuple(part.get_shape()), np.dtype(DTYPES[dtype]), lambda: file.get_tensor(name))


def _library() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a .safetensors file needs a package; pip install 'nnscratch[safetensors]'"
        ) from error
    return safetensors
