"""Params -> a file and back: saved models, and the checkpoints of a training run.

The format is NumPy's `.npz` without pickle: one array per name, nothing that could run code.
A saved model is its params and buffers under their own names, so `np.load` reads it anywhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from nnscratch.files import atomic_write, printable
from nnscratch.layers.base import Layer

__all__ = ["load", "save"]

Path = str | os.PathLike[str]
Model = TypeVar("Model", bound=Layer)


def save(model: Layer, path: Path) -> None:
    """Write a model's params and buffers to a file, whole or not at all.

    Parameters
    ----------
    model : Layer
    path : path
        Used as it is; `.npz` is the usual ending. An existing file is replaced.

    Raises
    ------
    OSError
        The folder is missing or cannot be written to.

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
    write_arrays(path, model_arrays(model))


def load(model: Model, path: Path) -> Model:
    """Fill a model from a file that `save` wrote, or leave it untouched and raise.

    Parameters
    ----------
    model : Layer
        Built like the saved one. Its dtype stays: a float64 file fills a float32 model.
    path : path

    Returns
    -------
    model : Layer
        The same object.

    Raises
    ------
    OSError
        The file is missing or cannot be read.
    ValueError
        The file is damaged, is no `.npz`, or holds other arrays than the model; the message
        lists which are missing, extra, or of another shape.
    """
    targets = model_arrays(model)
    fill(targets, read_arrays(path, targets), os.fspath(path))
    return model


def model_arrays(model: Layer) -> dict[str, np.ndarray]:
    """Params and buffers of a model under one set of names."""
    return {**model.params, **model.buffers}


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as `.npz`, whole or not at all."""
    import zipfile  # with all its compressors, which nobody needs who only imports nnscratch

    # as np.savez does, which would take an array named "file" for its own argument
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_arrays(path: Path, targets: Mapping[str, np.ndarray] | None = None) -> dict[str, Any]:
    """The named arrays of an `.npz` file; ValueError where it is damaged or something else.

    With targets, what does not fit them is refused before it is unpacked.
    """
    from nnscratch.npz import Claim, read_npz  # zipfile, which nobody needs who only imports us

    def all_that_fit(claims: dict[str, Claim]) -> dict[str, Claim]:
        if targets is not None:
            _check_fit(targets, claims, os.fspath(path))
        return claims

    return read_npz(path, all_that_fit)


def fill(targets: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray], path: str) -> None:
    """Copy the found arrays into the targets if all of them fit, else change nothing and raise."""
    _check_fit(targets, found, path)
    for name, target in targets.items():
        target[...] = found[name]


def _check_fit(targets: Mapping[str, np.ndarray], found: Mapping[str, Any], path: str) -> None:
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


def _listed(names: list[str], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
