"""A model -> a file and back: its params and buffers, and the code that builds it again.

Two formats, by the ending of the file's name. `.npz` holds the arrays under their own names, so
that `np.load` reads it anywhere; `.safetensors` under torch's names, so that torch does. Both
hold the architecture as text beside them.
"""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from nnscratch.builder import build
from nnscratch.files import atomic_write, printable
from nnscratch.interop import safetensors
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Layer
from nnscratch.model_text import LONGEST

__all__ = ["load", "load_model", "save"]

# What the files of others are to be read and written with
TORCH = "; to torch go .safetensors: safetensors.torch.save_file(net.state_dict(), path), load_file"
OTHERS = dict.fromkeys((".bin", ".ckpt", ".pt", ".pth"), TORCH) | {
    ".onnx": "; nnscratch.interop.onnx has load and export for ONNX"
}

Path = str | os.PathLike[str]
Model = TypeVar("Model", bound=Layer)
Names = Mapping[str, str]


@checks_kinds
def save(model: Layer, path: Path, names: Names | None = None) -> None:
    """Write a model's params and buffers to a file, with the text `repr(model)`.

    Parameters
    ----------
    model : Layer
    path : path
        Ends in `.npz`, or in `.safetensors` for torch's names and shapes, which needs the
        package safetensors. An existing file is replaced, whole or not at all.
    names : mapping of str to str, optional
        For `.safetensors`: the place of a layer or the name of an array here -> torch's name,
        where it is another one, as in {"0": "conv1", "2.W": "head.kernel"}; the place "" is that
        of the whole model, as in {"": "module"}.

    Raises
    ------
    OSError
        The folder is missing or cannot be written to.
    ValueError
        Another ending, or names that fit nothing.
    ModuleNotFoundError
        safetensors is not installed.

    Examples
    --------
    >>> import tempfile, pathlib, nnscratch as nn
    >>> model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, rng=1))
    >>> twin = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.npz")
    ...     save(model, path)
    ...     twin = load(twin, path)
    >>> np.array_equal(twin.params["2.W"], model.params["2.W"])
    True
    """
    if _ending(path, names) == ".npz":
        write_arrays(path, model_arrays(model), repr(model))
    else:
        safetensors.write(path, model, names or {}, repr(model))


@checks_kinds
def load(model: Model, path: Path, names: Names | None = None) -> Model:
    """Fill a model from a file that `save` wrote, or leave it untouched and raise.

    Parameters
    ----------
    model : Layer
        Built like the saved one. Its dtype stays: a float64 file fills a float32 model.
    path : path
        A `.safetensors` file may be torch's.
    names : mapping of str to str, optional
        As for `save`.

    Returns
    -------
    model : Layer
        The same object.

    Raises
    ------
    OSError
        The file is missing or cannot be read.
    ValueError
        The file is damaged, of another format, or holds other arrays than the model; the
        message lists which are missing, extra, or of another shape.

    Examples
    --------
    >>> import tempfile, pathlib, nnscratch as nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.npz")
    ...     save(nn.Linear(4, 3, rng=0), path)
    ...     layer = load(nn.Linear(4, 3, rng=1), path)
    >>> np.array_equal(layer.params["W"], nn.Linear(4, 3, rng=0).params["W"])
    True
    """
    of_npz, targets = _ending(path, names) == ".npz", model_arrays(model)
    found = read_arrays(path, targets) if of_npz else safetensors.read(path, model, names or {})
    fill(targets, found, os.fspath(path))
    return model


@checks_kinds
def load_model(path: Path, layers: Iterable[type[Layer]] = ()) -> Layer:
    """The model in a file that `save` wrote, built from the text in it and filled.

    Parameters
    ----------
    path : path
    layers : iterable of classes
        Layers of one's own that the model has.

    Raises
    ------
    OSError
        The file is missing or cannot be read.
    ValueError
        As `load`; the file has no text, or one that `build` refuses.

    Examples
    --------
    >>> import tempfile, pathlib, nnscratch as nn
    >>> model = nn.Sequential(nn.Linear(4, 3, rng=0), nn.ReLU(), nn.Linear(3, 2, rng=1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(model, pathlib.Path(folder, "model.npz"))
    ...     twin = load_model(pathlib.Path(folder, "model.npz"))
    >>> print(twin)
    Sequential(
      Linear(4, 3),
      ReLU(),
      Linear(3, 2),
    )
    >>> np.array_equal(twin.params["2.W"], model.params["2.W"])
    True
    """
    from nnscratch.npz import claims_of  # and zipfile, for who loads something

    name, of_npz = os.fspath(path), _ending(path) == ".npz"
    arrays, text = claims_of(path) if of_npz else safetensors.stored_arrays(path)
    if text is None:
        raise ValueError(f"{name} does not say what model it is of; build that and nn.load it")
    numbers = sum(int(np.prod(array.shape)) for array in arrays.values())
    try:
        model = build(text, layers, most=max(2**24, 64 * numbers))
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    deciding = {name: arrays[name] for name in model.params if name in arrays} or arrays
    kinds = {array.dtype for array in deciding.values() if array.dtype.kind == "f"}
    if len(kinds) == 1:
        model.astype(kinds.pop())
    return load(model, path)


def model_arrays(model: Layer) -> dict[str, np.ndarray]:
    """Params and buffers of a model under one set of names."""
    return {**model.params, **model.buffers}


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], text: str | None = None) -> None:
    """Write named arrays as `.npz`, whole or not at all; a text may lie beside them."""
    import zipfile  # with all its compressors, which nobody needs who only imports nnscratch

    from nnscratch.npz import TEXT

    # as np.savez does, which would take an array named "file" for its own argument
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
        if text is not None and len(text) <= LONGEST:
            archive.writestr(zipfile.ZipInfo(TEXT), text)


def read_arrays(path: Path, targets: Mapping[str, np.ndarray] | None = None) -> dict[str, Any]:
    """The named arrays of an `.npz` file; ValueError where it is damaged or something else.

    With targets, what does not fit them is refused before it is unpacked.
    """
    from nnscratch.npz import Claim, read_npz

    def all_that_fit(claims: dict[str, Claim]) -> dict[str, Claim]:
        if targets is not None:
            check_fit(targets, claims, os.fspath(path))
        return claims

    return read_npz(path, all_that_fit)


def fill(targets: Mapping[str, np.ndarray], found: Mapping[str, Any], path: str) -> None:
    """Copy the found arrays into the targets if all of them fit, else change nothing and raise."""
    check_fit(targets, found, path)
    values = {name: _converted(name, found[name], targets[name], path) for name in targets}
    for name, target in targets.items():
        target[...] = values[name]


def check_fit(targets: Mapping[str, np.ndarray], found: Mapping[str, Any], path: str) -> None:
    """ValueError where names, shapes or dtypes are not those of the targets."""
    problems = []
    if missing := [name for name in targets if name not in found]:
        problems.append(f"missing {_listed(missing)}")
    if extra := [printable(name) for name in found if name not in targets]:
        problems.append(f"extra {_listed(extra)}")
    for name in targets.keys() & found.keys():
        if targets[name].shape != found[name].shape:
            problems.append(f"{name} is {found[name].shape}, expected {targets[name].shape}")
        elif found[name].dtype.kind not in "fiub":
            problems.append(f"{name} holds {found[name].dtype} instead of numbers")
    if problems:
        raise ValueError(
            f"{path} does not fit the model: {'; '.join(sorted(problems))}; "
            "build the model as it was when it was saved"
        )


def _converted(name: str, found: Any, target: np.ndarray, path: str) -> np.ndarray:
    """The array in the target's dtype."""
    try:
        with np.errstate(over="raise"):
            return np.asarray(found).astype(target.dtype)
    except FloatingPointError:
        raise ValueError(
            f"{path} has numbers in {name} that are more than {target.dtype} can hold; convert "
            "the model with astype first"
        ) from None


def _ending(path: Path, names: Names | None = None) -> str:
    """The ending, which says the format."""
    ending = pathlib.PurePath(path).suffix
    if ending not in (".npz", ".safetensors"):
        raise ValueError(
            f"{os.fspath(path)!r} is the name of a model's file, which ends in .npz or .safetensors"
            + OTHERS.get(ending, "")
        )
    if names and ending == ".npz":
        raise ValueError("names= is for .safetensors; an .npz has the names of the model")
    return ending


def _listed(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
