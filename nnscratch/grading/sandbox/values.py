"""Values as JSON and arrays: what may travel between the parent and a worker, and nothing else.

Both sides use this file, so it needs NumPy and the standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

DTYPES = {name: np.dtype(name) for name in ("float32", "float64", "int32", "int64", "bool")}
MAX_NDIM = 6
MAX_ENTRIES = 10_000  # of one tuple, list or dict; many numbers belong into an array


class Malformed(ValueError):
    """Bytes that are no message; the text says what is wrong with them."""


class TooLarge(Malformed):
    """A message that announces more bytes of arrays than are accepted."""


class Unsendable(TypeError):
    """A value that may not travel; the text says where it is and why."""


@dataclass(frozen=True)
class Caps:
    """The most that one message may hold: bytes of the header, of all arrays; arrays, depth."""

    header: int = 1 << 20
    size: int = 64 << 20
    arrays: int = 256
    depth: int = 16


@dataclass(frozen=True)
class Kept:
    """An object that stays in the worker, by its number."""

    number: int


@dataclass(frozen=True)
class Callback:
    """A function that stays in the parent, by its number; in the worker it can only be called."""

    number: int


@dataclass(frozen=True)
class Proxy:
    """An object whose methods are callbacks; with a name it is a class of such objects.

    A class has the methods `new`, `forward` and `backward`: its objects have `params` and `grads`
    of their own, and everything that is computed with them is computed in the parent.
    """

    methods: dict[str, int]
    name: str = ""


@dataclass(frozen=True)
class Raw:
    """Bytes that the parent hands over, such as a file's; none travel back."""

    content: bytes


def pack(value: Any, arrays: list[np.ndarray], caps: Caps, where: str = "the value") -> Any:
    """Return the JSON form of a value, and append its arrays to ``arrays``.

    Types are compared exactly: a subclass could carry code, or claim to equal everything.

    Raises
    ------
    Unsendable
        The value, or something inside it, is of another type or too large.

    Examples
    --------
    >>> arrays = []
    >>> pack((1.5, {"W": np.eye(2)}), arrays, Caps())
    {'tuple': [1.5, {'dict': [['W', {'array': 0}]]}]}
    >>> len(arrays)
    1
    """
    return _pack(value, arrays, caps, where, caps.depth)


def _pack(value: Any, arrays: list[np.ndarray], caps: Caps, where: str, depth: int) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is float or kind is str:
        return value
    if kind is int:
        if not -(2**63) <= value < 2**63:
            raise Unsendable(f"{where} is an integer of more than 64 bits")
        return value
    if kind is np.ndarray:
        return {"array": _add(value, arrays, caps, where)}
    if _among(kind, _SCALARS):
        return {"scalar": _add(np.asarray(value), arrays, caps, where)}
    if kind is Kept or kind is Callback:
        return {kind.__name__.lower(): value.number}
    if kind is Raw:
        return {"raw": value.content.hex()}
    if kind is Proxy:
        return {"proxy": [value.name, *map(list, value.methods.items())]}
    if not _among(kind, _CONTAINERS):
        raise Unsendable(f"{where} is of type {_name(kind)}, expected {EXPECTED}")
    if depth == 0:
        raise Unsendable(f"{where} is nested too deeply")
    if len(value) > MAX_ENTRIES:
        raise Unsendable(f"{where} has {len(value)} entries, at most {MAX_ENTRIES} may pass")
    if kind is dict:
        for key in value:
            if not _among(type(key), (str, int)):
                raise Unsendable(f"{where} has a key of type {_name(type(key))}, expected str")
        return {
            "dict": [
                [key, _pack(entry, arrays, caps, f"{where}[{key!r:.40}]", depth - 1)]
                for key, entry in list(value.items())
            ]
        }
    entries = [
        _pack(entry, arrays, caps, f"{where}[{i}]", depth - 1) for i, entry in enumerate(value)
    ]
    return {kind.__name__: entries}


def _among(kind: type, kinds: tuple[type, ...]) -> bool:
    """Whether a type is one of these; ``in`` would ask its metaclass, which may lie."""
    return any(kind is other for other in kinds)


EXPECTED = "an array, a number, a string, None, or a tuple, list or dict of these"
_CONTAINERS = (tuple, list, dict)
_SCALARS = tuple(dtype.type for dtype in DTYPES.values())


def _name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")


def _add(value: np.ndarray, arrays: list[np.ndarray], caps: Caps, where: str) -> int:
    if value.dtype.name not in DTYPES:
        raise Unsendable(
            f"{where} is an array of dtype {value.dtype}, expected one of {', '.join(DTYPES)}"
        )
    if value.ndim > MAX_NDIM:
        raise Unsendable(f"{where} has {value.ndim} axes, expected at most {MAX_NDIM}")
    if len(arrays) >= caps.arrays:
        raise Unsendable(f"more than {caps.arrays} arrays")
    if size_of(value.shape, value.dtype) + sum(array.nbytes for array in arrays) > caps.size:
        raise Unsendable(f"{where} has shape {value.shape}: more than {caps.size} bytes in all")
    arrays.append(np.array(value, dtype=DTYPES[value.dtype.name], order="C"))
    return len(arrays) - 1


def unpack(tree: Any, arrays: list[np.ndarray], references: bool = False) -> Any:
    """Return the value of its JSON form; the inverse of :func:`pack`.

    Parameters
    ----------
    tree : object
        What JSON gave.
    arrays : list of ndarray
        That came with it.
    references : bool
        Whether objects that stay in the worker or in the parent may be named.

    Raises
    ------
    Malformed
        It is not the JSON form of a value, or names an array twice, which would make much of
        little.

    Examples
    --------
    >>> unpack({"tuple": [1, {"array": 0}]}, [np.zeros(2)])
    (1, array([0., 0.]))
    """
    return _unpack(tree, list(arrays), references, Caps.depth)


def _unpack(tree: Any, arrays: list[np.ndarray | None], references: bool, depth: int) -> Any:
    if tree is None or isinstance(tree, bool | float | str):
        return tree
    if isinstance(tree, int):
        if not -(2**63) <= tree < 2**63:
            raise Malformed("an integer of more than 64 bits")
        return tree
    if not isinstance(tree, dict) or len(tree) != 1:
        raise Malformed("not a value")
    [(kind, entries)] = tree.items()
    if kind in ("array", "scalar", "kept", "callback"):
        return _leaf(kind, entries, arrays, references)
    if kind == "proxy" and references and isinstance(entries, list):
        return _proxy(entries)
    if kind == "raw" and references and isinstance(entries, str):
        try:
            return Raw(bytes.fromhex(entries))
        except ValueError:
            raise Malformed("bytes that are none") from None
    if kind not in ("tuple", "list", "dict") or not isinstance(entries, list):
        raise Malformed("not a value")
    if len(entries) > MAX_ENTRIES:
        raise Malformed(f"a {kind} of {len(entries)} entries, at most {MAX_ENTRIES} are accepted")
    if depth == 0:
        raise Malformed("nested too deeply")
    if kind == "dict":
        result = {}
        for entry in entries:
            if not (isinstance(entry, list) and len(entry) == 2 and type(entry[0]) in (str, int)):
                raise Malformed("not an entry of a dict")
            result[entry[0]] = _unpack(entry[1], arrays, references, depth - 1)
        return result
    values = [_unpack(entry, arrays, references, depth - 1) for entry in entries]
    return tuple(values) if kind == "tuple" else values


def _leaf(kind: str, number: Any, arrays: list[np.ndarray | None], references: bool) -> Any:
    if type(number) is not int or number < 0:
        raise Malformed(f"the number of an {kind} is not one")
    if kind in ("kept", "callback"):
        if not references:
            raise Malformed(f"a {kind} object, where only values are expected")
        return Kept(number) if kind == "kept" else Callback(number)
    if number >= len(arrays):
        raise Malformed(f"array {number} of {len(arrays)}")
    array, arrays[number] = arrays[number], None
    if array is None:
        raise Malformed(f"array {number} is named twice")
    if kind == "scalar" and array.ndim != 0:
        raise Malformed("a scalar with axes")
    return array[()] if kind == "scalar" else array


def _proxy(entries: list[Any]) -> Proxy:
    match entries:
        case [str(name), *pairs] if all(
            isinstance(p, list) and list(map(type, p)) == [str, int] for p in pairs
        ):
            return Proxy(dict(pairs), name)
    raise Malformed("not a proxy")


def size_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    """Bytes of an array; an axis of 0 counts as 1, for NumPy limits the others even then."""
    size = dtype.itemsize
    for length in shape:
        size *= max(length, 1)
    return size
