"""Messages between the parent and a worker: a length, a JSON header, raw array bytes.

Nothing that arrives is executed, unpickled or believed. A message is

    4 bytes   length of the header, big-endian
    header    JSON: what is asked or answered, and dtype and shape of each array
    bytes     of the arrays, one after the other, in C order

The receiver allocates an array only after its dtype, number of axes and size were found to be
within :class:`Caps`. Both sides use this file, so it needs NumPy and the standard library only.
"""

from __future__ import annotations

import json
import struct
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np

from nnscratch.grading.sandbox.values import (
    DTYPES,
    MAX_NDIM,
    Caps,
    Malformed,
    TooLarge,
    Unsendable,
    size_of,
)

Read = Callable[[memoryview], None]


def message(header: dict[str, Any], arrays: list[np.ndarray]) -> list[bytes | memoryview]:
    """Return the pieces to be sent, in order.

    Raises
    ------
    Unsendable
        The header is larger than any receiver accepts.
    """
    described = [{"dtype": array.dtype.name, "shape": list(array.shape)} for array in arrays]
    text = json.dumps({**header, "arrays": described}, separators=(",", ":")).encode()
    if len(text) > Caps.header:
        raise Unsendable(f"strings and numbers of {len(text)} bytes, at most {Caps.header} pass")
    contents = [_bytes(array) for array in arrays if array.size]
    return [struct.pack("!I", len(text)) + text, *contents]


def receive(read: Read, caps: Caps) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return header and arrays of one message, whatever comes.

    Parameters
    ----------
    read : callable
        Fills the buffer it is given, or raises.

    Raises
    ------
    Malformed
        The bytes are no message, or announce more than ``caps`` allows. Nothing was allocated
        for what was announced.
    """
    prefix = bytearray(4)
    read(memoryview(prefix))
    (length,) = struct.unpack("!I", prefix)
    if length > caps.header:
        raise Malformed(f"a header of {length} bytes, at most {caps.header} are accepted")
    text = bytearray(length)
    read(memoryview(text))
    try:
        header = json.loads(text.decode())
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise Malformed(f"a header that is not JSON ({type(error).__name__})") from None
    if not isinstance(header, dict):
        raise Malformed("a header that is not an object")
    arrays = [np.empty(shape, dtype) for dtype, shape in _announced(header, caps)]
    for array in arrays:
        if array.size:
            read(_bytes(array))
    for array in arrays:
        if array.dtype == bool and array.size and array.view(np.uint8).max() > 1:
            raise Malformed("a boolean that is neither 0 nor 1")
    return header, arrays


def _announced(header: dict[str, Any], caps: Caps) -> list[tuple[np.dtype[Any], tuple[int, ...]]]:
    described = header.get("arrays")
    if not isinstance(described, list) or len(described) > caps.arrays:
        raise Malformed(f"no list of at most {caps.arrays} arrays")
    result = []
    total = 0
    for entry in described:
        if not isinstance(entry, dict) or not isinstance(entry.get("shape"), list):
            raise Malformed("an array without shape")
        name, shape = entry.get("dtype"), entry["shape"]
        if not isinstance(name, str) or name not in DTYPES:
            raise Malformed(f"an array of dtype {name!r:.40}")
        if len(shape) > MAX_NDIM or any(type(n) is not int or n < 0 for n in shape):
            raise Malformed(f"an array of shape {shape!r:.80}")
        total += size_of(tuple(shape), DTYPES[name])
        if total > caps.size:
            raise TooLarge(
                f"arrays of more than {caps.size} bytes, the last of shape {shape!r:.80}"
            )
        result.append((DTYPES[name], tuple(shape)))
    return result


def _bytes(array: np.ndarray) -> memoryview:
    return memoryview(array.reshape(-1).view(np.uint8))  # type: ignore[arg-type]  # it is a buffer


def escape(text: str, keep: str = "") -> str:
    r"""Return the text with every character that a terminal or browser acts upon written out.

    Control characters could move the cursor and rewrite a report, direction marks could reorder
    it, lone surrogates cannot be printed at all.

    Examples
    --------
    >>> print(escape("100 / 100\x1b[2J"))
    100 / 100\x1b[2J
    >>> escape("a\nb\r", keep="\n")
    'a\nb\\r'
    """
    return "".join(
        c if c in keep or not _acts(c) else c.encode("unicode_escape").decode() for c in text
    )


def _acts(character: str) -> bool:
    return unicodedata.category(character)[0] == "C" or character in "\u2028\u2029"
