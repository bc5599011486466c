"""A `.safetensors` file with the weights of a model, under torch's names (`torch_names`).

What is written is the state_dict of the same model in torch, which `load_state_dict` takes with
strict=True; what torch wrote is read.

The memory of a W need not be in C order here: a flat vector may hold it, or its transpose. The
functions of the package safetensors write an array's memory as it lies, so whoever calls them on
`model.params` gives them `np.ascontiguousarray(W)`, as is done here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from nnscratch.files import atomic_write, open_regular, printable
from nnscratch.interop.torch_names import Entry, entries
from nnscratch.layers import Layer

DTYPES = {"F64": "f8", "F32": "f4", "F16": "f2", "BOOL": "?"} | {
    f"{kind}{8 * size}": f"{kind.lower()}{size}" for kind in "IU" for size in (1, 2, 4, 8)
}

LONGEST_TEXT = 2**22

Path = str | os.PathLike[str]


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
        if tensor is None:  # the count of batches, which old files lack, or a second name
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
        parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118, no mapping
        text = (file.metadata() or {}).get("architecture")
    except OSError:
        raise
    except Exception as error:
        raise ValueError(
            f"{os.fspath(path)} is damaged or no .safetensors file ({printable(str(error))}); "
            "use a file that nnscratch.save or torch's safetensors wrote"
        ) from error
    return {name: _stored(path, file, name, part) for name, part in parts.items()}, text


def _part(entry: Entry, tensor: Stored, i: int) -> Callable[[], np.ndarray]:
    return lambda: entry.from_torch(np.asarray(tensor))[i]


def _check_names(path: Path, wanted: list[Entry], found: Mapping[str, Stored]) -> None:
    names = {entry.name for entry in wanted}
    there = {name for entry in wanted if entry.name in found for name in entry.ours}
    missing = [e.name for e in wanted if e.name not in found and not there.issuperset(e.ours)]
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
            f"was when it was saved, or tell torch's names by names={_likely(names, found)}"
        )


def _likely(names: set[str], found: Mapping[str, Stored]) -> str:
    """What to give as names: where the file has all of them below one module, that."""
    for name in found:
        module, _, rest = name.partition(".")
        while rest and rest not in names:
            more, _, rest = rest.partition(".")
            module = f"{module}.{more}"
        if rest and all(one.removeprefix(f"{module}.") in names for one in found):
            return repr({"": module})
    return "{'0': 'conv1'}"


def _stored(path: Path, file: Any, name: str, part: Any) -> Stored:
    dtype, shape = part.get_dtype(), tuple(part.get_shape())
    if dtype == "BF16":
        return Stored(shape, np.dtype("f4"), lambda: _of_bfloat16(path, name, shape))
    if dtype not in DTYPES:
        raise ValueError(
            f"{os.fspath(path)}: {name[:60]!r} holds {dtype}, which NumPy has not; convert it to "
            "F32"
        )
    return Stored(shape, np.dtype(DTYPES[dtype]), lambda: file.get_tensor(name))


def _of_bfloat16(path: Path, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor of bfloat16: the upper halves of float32, where the header says that they lie."""
    with open_regular(path) as file:
        length = int.from_bytes(file.read(8), "little")
        start, stop = json.loads(file.read(length))[name]["data_offsets"]
        file.seek(8 + length + start)
        halves = np.frombuffer(file.read(stop - start), "<u2")
    return (halves.astype(np.uint32) << 16).view(np.float32).reshape(shape)


def _library() -> Any:
    try:
        import safetensors
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a .safetensors file needs a package; pip install 'nnscratch[safetensors]'"
        ) from error
    return safetensors
