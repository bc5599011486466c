"""The named arrays of a layer: its parameters and its running statistics.

A layer owns its arrays through one `Params`; a layer that holds layers lists theirs under dotted
names in one `NestedParams`. Nobody else keeps an array for long: that is what lets `flat.py` move
all parameters of a model into one flat vector and put views of it in their place.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from operator import attrgetter
from typing import Any, NoReturn

import numpy as np


class Structure:
    """A number that changes whenever a layer anywhere gets other arrays or other layers inside.

    Whoever remembers something about a model's structure, such as the list of its parameters,
    remembers the number with it, and looks again when it is another one.
    """

    version = 0
    _versions = itertools.count(1)

    @classmethod
    def changed(cls) -> None:
        cls.version = next(cls._versions)


class Params(MutableMapping[str, np.ndarray]):
    """Named arrays with fixed keys; assignment writes into the array that is already there.

    Parameters
    ----------
    arrays : mapping of str to array

    Attributes
    ----------
    frozen : bool
        Whether training leaves these arrays as they are; see `Layer.freeze`.

    Raises
    ------
    ValueError
        An assigned value has another shape than the array (a number fills it), is complex or no
        number, or is too large for the array's dtype.
    KeyError
        The name is not one of the fixed keys.

    Examples
    --------
    >>> params = Params({"b": np.zeros(3)})
    >>> before = params["b"]
    >>> params["b"] = [1, 2, 3]
    >>> params["b"] -= 0.5
    >>> before
    array([0.5, 1.5, 2.5])
    >>> params["b"] = [1, 2]
    Traceback (most recent call last):
    ValueError: 'b' has shape (3,), received (2,); assign an array of the same shape
    """

    frozen = False

    def __init__(self, arrays: Mapping[str, Any] | None = None) -> None:
        self._arrays = _Named({k: _numbers(k, value) for k, value in (arrays or {}).items()})

    # Without a line of Python, since a training step looks parameters up again and again.
    __getitem__ = property(attrgetter("_arrays.__getitem__"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def __setitem__(self, name: str, value: Any) -> None:
        array = self[name]
        if value is not array:  # else it is the end of `params[name] -= step`, already written
            array[...] = self._fitting(name, value)

    def update(self, other: Any = (), /, **more: Any) -> None:
        """Write every value into its array, all of them or, where one does not fit, none."""
        values = {name: self._fitting(name, v) for name, v in dict(other, **more).items()}
        for name, value in values.items():
            self[name][...] = value

    def _fitting(self, name: str, value: Any) -> np.ndarray:
        """The value as an array that can be written, else a ValueError that says why not."""
        array, value = self[name], _numbers(name, value)
        if value.shape != array.shape and value.ndim:
            raise ValueError(
                f"{name!r} has shape {array.shape}, received {value.shape}; "
                "assign an array of the same shape"
            )
        with np.errstate(over="ignore"):
            written = value.astype(array.dtype)
        if array.dtype.kind == "f" and value.size and not np.isfinite(written).all():
            lost = np.isfinite(value) & ~np.isfinite(written)
            if lost.any():
                raise ValueError(
                    f"{name!r} holds {array.dtype}, received {value[lost].flat[0]:g}, which is "
                    f"more than that can hold; scale it, or convert the layer with astype"
                )
        return written

    def place(self, name: str) -> tuple[Params, str]:
        """The `Params` that owns the array, and its name there."""
        return self, name

    def rebind(self, name: str, array: np.ndarray) -> None:
        """Put another array of the same shape in place: the only way to do so."""
        if array.shape != self[name].shape:
            raise ValueError(f"{name!r} has shape {self[name].shape}, received {array.shape}")
        self._arrays[name] = array
        Structure.changed()

    def astype(self, dtype: np.dtype) -> None:
        """Convert the floating arrays in place."""
        for name, array in self.items():
            if array.dtype.kind == "f" and array.dtype != dtype:
                self.rebind(name, array.astype(dtype))

    def trained(self) -> Iterator[str]:
        """The names of the arrays that are not frozen."""
        return (name for name in self if not self.place(name)[0].frozen)

    def copy(self) -> dict[str, np.ndarray]:
        """A plain dict of copies: what the arrays hold now."""
        return {name: array.copy(order="K") for name, array in self.items()}

    def _fixed(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the names of a layer's arrays are fixed")

    __delitem__ = pop = popitem = clear = setdefault = __ior__ = _fixed

    def __eq__(self, other: object) -> Any:
        return dict(self) == other

    def __or__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**self, **other}

    def __ror__(self, other: Mapping[str, Any]) -> dict[str, Any]:
        return {**other, **self}

    def __reversed__(self) -> Iterator[str]:
        return reversed(list(self))

    def __repr__(self) -> str:
        return repr(dict(self))


class _Named(dict[str, Any]):
    """A dict that says which names there are."""

    def __missing__(self, name: str) -> NoReturn:
        raise KeyError(f"no array named {name!r}; there are {', '.join(self) or 'none'}")


class NestedParams(Params):
    """The arrays of several layers under dotted names, each looked up where it lives.

    An array that is reached twice, because a layer is used twice, is listed once, under the
    first name.

    Parameters
    ----------
    parts : iterable of (prefix, Params)

    Attributes
    ----------
    names : list of dict
        For each part: its own name of an array -> the name here.
    """

    def __init__(self, parts: Iterable[tuple[str, Params]]) -> None:
        self.names: list[dict[str, str]] = []
        self._places: dict[str, tuple[Params, str]] = _Named()
        first: dict[tuple[int, str], str] = {}
        for prefix, params in parts:
            names = {}
            for name in params:
                owner, own_name = params.place(name)
                names[name] = first.setdefault((id(owner), own_name), prefix + name)
                self._places.setdefault(names[name], (owner, own_name))
            self.names.append(names)

    def place(self, name: str) -> tuple[Params, str]:
        return self._places[name]

    def __getitem__(self, name: str) -> np.ndarray:
        owner, own_name = self.place(name)
        return owner[own_name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def rebind(self, name: str, array: np.ndarray) -> None:
        owner, own_name = self.place(name)
        owner.rebind(own_name, array)


def _numbers(name: str, value: Any) -> np.ndarray:
    """The value as an array of real numbers."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of unequal length
        array = np.empty(0, object)
    if array.dtype.kind not in "fiub" or isinstance(value, np.ma.MaskedArray):
        kind = "a masked array" if isinstance(value, np.ma.MaskedArray) else array.dtype
        raise ValueError(f"{name!r} expected real numbers, received {kind}; convert them first")
    return array
