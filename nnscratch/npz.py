"""An .npz file of somebody's -> what arrays it says it holds, and then those that are wanted.

Names, shapes and sizes are compared before anything is unpacked, so that a small file cannot take
much more memory than the arrays that are asked for. Nothing in it is ever unpickled.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from nnscratch.files import open_regular, printable

TEXT = "architecture.txt"  # what may lie beside the arrays, whose names end in .npy
MOST_TEXT = 2**22
MOST_HEADER = 10_000  # bytes; also what numpy reads of a header that it does not trust
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack into gigabytes


class Claim(NamedTuple):
    """What the header of an array says."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def nbytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def read_npz(
    path: str | os.PathLike[str],
    choose: Callable[[dict[str, Claim]], Iterable[str]] | None = None,
) -> dict[str, np.ndarray]:
    """Read some of the arrays of an .npz file.

    Parameters
    ----------
    path : str or os.PathLike
    choose : function of the claims by name, optional
        Gives the names to read, or raises; all of them unless given.

    Returns
    -------
    arrays : dict of str to numpy.ndarray

    Raises
    ------
    OSError
        There is no such file, or it cannot be read.
    ValueError
        It is no .npz file, a damaged one, or holds something else than plain arrays; or what
        `choose` raised.
    """
    with open_regular(path) as file:
        archive, claims, _ = _opened(file, path)
        names = list(claims if choose is None else choose(claims))
        try:
            return {name: _array(archive, f"{name}.npy") for name in names}
        except Exception as error:
            raise _damaged(path, error) from error


def claims_of(path: str | os.PathLike[str]) -> tuple[dict[str, Claim], str | None]:
    """(what the headers say, by name; the text beside the arrays, None without one)."""
    with open_regular(path) as file:
        return _opened(file, path)[1:]


def _opened(
    file: BinaryIO, path: str | os.PathLike[str]
) -> tuple[zipfile.ZipFile, dict[str, Claim], str | None]:
    try:
        archive = zipfile.ZipFile(file)
        claims, text = {}, None
        for info in archive.infolist():
            if info.filename == TEXT and info.file_size <= MOST_TEXT:
                text = archive.read(info).decode()
                continue
            if not info.filename.endswith(".npy"):
                raise ValueError(f"{info.filename!r} is not an array")
            claims[info.filename.removesuffix(".npy")] = _claim(archive, info)
        return archive, claims, text
    except Exception as error:  # a damaged archive raises almost anything in there
        raise _damaged(path, error) from error


def _claim(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Claim:
    """The header of one array, which must agree with the length of its member."""
    if info.compress_type not in METHODS:
        raise ValueError(f"{info.filename!r} is compressed in another way than numpy does")
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{info.filename!r} has the version {version}")
        read = np.lib.format.read_array_header_1_0
        if version == (2, 0):
            read = np.lib.format.read_array_header_2_0
        shape, _, dtype = read(member, max_header_size=MOST_HEADER)
        claim = Claim(shape, dtype)
        if dtype.hasobject:
            raise ValueError(
                f"{info.filename!r} holds Python objects, which are never read; save it as "
                "array.astype(str) or as numbers"
            )
        if member.tell() + claim.nbytes != info.file_size:
            raise ValueError(f"{info.filename!r} is not as long as its header says")
    return claim


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as member:
        array = np.lib.format.read_array(member, allow_pickle=False, max_header_size=MOST_HEADER)
        if member.read(1):
            raise ValueError(f"{name!r} goes on behind its array")
    return np.asarray(array)


def _damaged(path: str | os.PathLike[str], error: Exception) -> ValueError:
    return ValueError(
        f"{os.fspath(path)} is damaged or no .npz file of arrays ({printable(str(error))})"
    )
