"""Files on disk -> arrays: the IDX format, in which MNIST and its relatives are published.

The data's path starts here: `datasets.py` reads its files with `load_idx`, `splits.py` and
`minibatches.py` cut the arrays up for training.

An IDX file is a header and the values, all of it big-endian::

    0 0 | code of the dtype | number of axes | length of each axis, 4 bytes each | the values
"""

import math
import os
import sys
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nnscratch.kinds import checks_kinds

GZIP_MAGIC = b"\x1f\x8b"
DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype(">u1"),
    0x09: np.dtype(">i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
MAX_AXES = 64  # what a NumPy array can have; the format's own limit is 255
MAX_HEADER = 4 + 4 * MAX_AXES
CHUNK = 1 << 16
FRESH_COPY = "the file is cut off or damaged: delete it and put a fresh copy in its place"
NOT_IDX = "this is no IDX file, or a damaged one: put a fresh copy in its place"


@checks_kinds
def load_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, gzipped or not.

    Whether it is gzipped is decided by its first two bytes, not by its name. The length that the
    header promises is compared with the length of the file before memory for it is taken.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    numpy.ndarray
        The values in the shape of the header (1 to 64 axes): a new array, writable, C-contiguous,
        in native byte order, of dtype uint8, int8, int16, int32, float32 or float64.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    ValueError
        The file is not IDX, is longer or shorter than its header says, or its gzip stream is
        damaged or followed by anything else. The message names the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels-idx1-ubyte"
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    ...     load_idx(path)
    array([7, 2, 1], dtype=uint8)
    """
    path = Path(path)
    with path.open("rb") as file:
        gzipped = file.read(2) == GZIP_MAGIC
        file.seek(0)
        dtype, shape, values = _read_gzip(file, path) if gzipped else _read_plain(file, path)
    # astype copies, which makes the array writable and its byte order native.
    return np.frombuffer(values, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def save_idx(path: str | os.PathLike[str], array: NDArray[Any]) -> None:
    """Write an array as an IDX file, gzipped if the name ends in ``.gz``.

    The same array gives the same bytes: the gzip header holds no time and no file name.

    Parameters
    ----------
    path : str or os.PathLike
        The file, replaced if it exists.
    array : numpy.ndarray
        1 to 64 axes, each shorter than 2**32; dtype uint8, int8, int16, int32, float32 or float64.

    Raises
    ------
    ValueError
        The dtype or the shape has no place in the format.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "weights-idx2-float.gz"
    ...     save_idx(path, np.array([[0.5, -2.0]], dtype=np.float32))
    ...     load_idx(path)
    array([[ 0.5, -2. ]], dtype=float32)
    """
    path = Path(path)
    array = np.asarray(array)
    codes = {dtype: code for code, dtype in DTYPES.items()}
    code = codes.get(array.dtype.newbyteorder(">"))
    if code is None:
        names = ", ".join(dtype.name for dtype in codes)
        raise ValueError(
            f"save_idx expected one of the dtypes {names}, received {array.dtype}; "
            "convert it first with array.astype"
        )
    if not 1 <= array.ndim <= MAX_AXES or max(array.shape) >= 2**32:
        raise ValueError(
            f"save_idx expected 1 to {MAX_AXES} axes, each shorter than 2**32, "
            f"received shape {array.shape}; reshape it first"
        )
    lengths = np.array(array.shape, dtype=">u4").tobytes()
    content = bytes([0, 0, code, array.ndim]) + lengths + array.astype(DTYPES[code]).tobytes()
    if not path.name.endswith(".gz"):
        path.write_bytes(content)
        return
    import gzip  # only to write: reading needs the stricter zlib

    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=9, mtime=0) as stream,
    ):
        stream.write(content)


def _read_plain(file: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...], bytes]:
    dtype, shape, start, length = _parse_header(file.read(MAX_HEADER), path)
    size = os.fstat(file.fileno()).st_size
    if size == length:
        file.seek(start)
        values = file.read(length - start)
        size = start + len(values)  # another process may just have cut the file
    if size != length:
        raise _malformed(path, f"{length} bytes, {_describe(dtype, shape)}", f"{size} bytes")
    return dtype, shape, values


def _read_gzip(file: BinaryIO, path: Path) -> tuple[np.dtype[Any], tuple[int, ...], bytes]:
    # gzip.GzipFile would join several members to one stream and skip zeros behind the last.
    inflater = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
    size = file.seek(0, os.SEEK_END)
    if size < 18:  # gzip's own header and trailer
        raise _malformed(path, "a gzip file of 18 bytes or more", f"{size} bytes")
    file.seek(-4, os.SEEK_END)
    recorded = int.from_bytes(file.read(4), "little")  # ISIZE: the length modulo 2**32
    file.seek(0)
    try:
        head = b""
        while len(head) < MAX_HEADER and not inflater.eof and (piece := file.read(CHUNK)):
            head += inflater.decompress(piece, MAX_HEADER - len(head))
        dtype, shape, start, length = _parse_header(head, path)
        promise = f"{length} bytes, {_describe(dtype, shape)}"
        if recorded != length % 2**32:
            raise _malformed(path, promise, f"{recorded} bytes recorded at the end of the gzip")
        if len(head) <= length:
            # zlib takes memory for what it has inflated, not for this bound: a false promise costs
            # nothing, and one byte more than promised shows that the stream is too long.
            rest = inflater.unconsumed_tail + file.read()
            head += inflater.decompress(rest, length - len(head) + 1)
    except zlib.error as error:
        raise _malformed(path, "an undamaged gzip stream", f"an error in it ({error})") from error
    if len(head) > length:
        raise _malformed(path, promise, "a longer gzip stream")
    if not inflater.eof:
        raise _malformed(path, promise, f"a gzip stream that breaks off after {len(head)} bytes")
    if len(head) < length:
        raise _malformed(path, promise, f"a gzip stream of {len(head)} bytes")
    if inflater.unused_data:
        extra = len(inflater.unused_data)
        raise _malformed(path, "a single gzip member", f"{extra} bytes after its end")
    return dtype, shape, head[start:]


def _parse_header(head: bytes, path: Path) -> tuple[np.dtype[Any], tuple[int, ...], int, int]:
    """Return dtype, shape, where the values start, and the length of the whole file."""
    if len(head) < 4:
        raise _malformed(path, "a header of 4 bytes or more", f"{len(head)} bytes", NOT_IDX)
    if head[:2] != b"\0\0":
        raise _malformed(path, "two zero bytes first", f"{head[:2].hex(' ')}", NOT_IDX)
    code, axes = head[2], head[3]
    if code not in DTYPES:
        known = ", ".join(f"0x{known:02x}" for known in DTYPES)
        raise _malformed(path, f"a dtype code out of {known}", f"0x{code:02x}", NOT_IDX)
    if not 1 <= axes <= MAX_AXES:
        raise _malformed(path, f"1 to {MAX_AXES} axes", f"{axes}", NOT_IDX)
    start = 4 + 4 * axes
    if len(head) < start:
        raise _malformed(path, f"a header of {start} bytes for {axes} axes", f"{len(head)} bytes")
    dtype = DTYPES[code]
    shape = tuple(int.from_bytes(head[i : i + 4], "big") for i in range(4, start, 4))
    # NumPy cannot make an array whose other axes overflow, even if one axis is 0.
    if start + math.prod(length or 1 for length in shape) * dtype.itemsize >= sys.maxsize:
        raise _malformed(path, "an array that fits into memory", _describe(dtype, shape), NOT_IDX)
    return dtype, shape, start, start + math.prod(shape) * dtype.itemsize


def _describe(dtype: np.dtype[Any], shape: tuple[int, ...]) -> str:
    return f"as its header says ({dtype.name} of shape {shape})"


def _malformed(path: Path, expected: str, found: str, remedy: str = FRESH_COPY) -> ValueError:
    return ValueError(f"{path}: expected {expected}, found {found}; {remedy}")
