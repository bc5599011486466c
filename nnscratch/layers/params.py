"""The named arrays of a layer: its parameters and its running statistics.

A layer owns its arrays through one `Arrays`; a container lists those of its layers under
dotted names in one `NestedArrays`. Nobody else keeps an array for long: that is what lets
`nnscratch.layers.flat` move all parameters of a model into one flat vector and put views of it
in their place.
"""

from __future__ import annotations

import copyreg
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NoReturn

import numpy as np


class Arrays(dict[str, np.ndarray]):
    """Named arrays with fixed keys; assignment writes into the array that is already there.

    Parameters
    ----------
    arrays : mapping of str to array

    Raises
    ------
    ValueError
        An assigned value has another shape than the array.
    KeyError
        The name is not one of the fixed keys.

    Examples
    --------
    >>> params = Arrays({"b": np.zeros(3)})
    >>> before = params["b"]
    >>> params["b"] = [1, 2, 3]
    >>> params["b"] -= 0.5
    >>> before
    array([0.5, 1.5, 2.5])
    >>> params["b"] = [1, 2]
    Traceback (most recent call last):
    ValueError: 'b' has shape (3,), received (2,); assign an array of the same shape
    """

    def __init__(self, arrays: Mapping[str, Any] | None = None) -> None:
        super().__init__({key: np.asarray(value) for key, value in (arrays or {}).items()})

    def __setitem__(self, key: str, value: Any) -> None:
        array = self[key]
        if value is array:  # the end of `params[key] -= step`, which has already written
            return
        value = np.asarray(value)
        self._check_shape(key, value)
        array[...] = value

    def _check_shape(self, key: str, value: np.ndarray) -> None:
        if value.shape != self[key].shape:
            raise ValueError(
                f"{key!r} has shape {self[key].shape}, received {value.shape}; "
                "assign an array of the same shape"
            )

    def __missing__(self, key: str) -> NoReturn:
        raise KeyError(f"no array named {key!r}; there are {', '.join(self) or 'none'}")

    def place(self, key: str) -> tuple[Arrays, str]:
        """The `Arrays` that owns the array, and its name there."""
        return self, key

    def rebind(self, key: str, array: np.ndarray) -> None:
        """Put another array of the same shape in place: the only way to do so."""
        if array.shape != self[key].shape:
            raise ValueError(f"{key!r} has shape {self[key].shape}, received {array.shape}")
        super().__setitem__(key, array)

    def astype(self, dtype: np.dtype) -> None:
        """Convert the floating arrays in place."""
        for key, array in self.items():
            if array.dtype.kind == "f":
                self.rebind(key, array.astype(dtype, copy=False))

    def copy(self) -> dict[str, np.ndarray]:
        """A plain dict of copies: what the arrays hold now."""
        return {key: array.copy(order="K") for key, array in self.items()}

    def update(self, other: Any = (), /, **more: Any) -> None:
        """Write every value into its array; see assignment."""
        values = {key: np.asarray(value) for key, value in dict(other, **more).items()}
        for key, value in values.items():
            self._check_shape(key, value)
        for key, value in values.items():
            self[key] = value

    def _fixed(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError("the names of a layer's arrays are fixed")

    __delitem__ = pop = popitem = clear = setdefault = __ior__ = _fixed

    def __reduce__(self) -> Any:
        return type(self), (dict(self),)


class NestedArrays(Arrays):
    """The arrays of several layers under dotted names, each looked up where it lives.

    An array that is reached twice, because a layer is used twice, is listed once, under the
    first name.

    Parameters
    ----------
    parts : iterable of (prefix, Arrays)

    Attributes
    ----------
    names : list of dict
        For each part: its own key -> the name here.
    """

    def __init__(self, parts: Iterable[tuple[str, Arrays]]) -> None:
        self.names: list[dict[str, str]] = []
        self._places: dict[str, tuple[Arrays, str]] = {}
        first: dict[tuple[int, str], str] = {}
        for prefix, arrays in parts:
            names = {}
            for key in arrays:
                owner, own_key = arrays.place(key)
                names[key] = first.setdefault((id(owner), own_key), prefix + key)
                self._places.setdefault(names[key], (owner, own_key))
            self.names.append(names)

    def place(self, key: str) -> tuple[Arrays, str]:
        return self._places[key] if key in self._places else self.__missing__(key)

    def __getitem__(self, key: str) -> np.ndarray:
        owner, own_key = self.place(key)
        return owner[own_key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._places)

    def __eq__(self, other: object) -> Any:
        return dict(self.items()) == other

    def __ne__(self, other: object) -> Any:
        return dict(self.items()) != other

    def __repr__(self) -> str:
        return repr(dict(self.items()))

    def __or__(self, other: Any) -> Any:
        return dict(self.items()) | dict(other)

    def __ror__(self, other: Any) -> Any:
        return dict(other) | dict(self.items())

    def rebind(self, key: str, array: np.ndarray) -> None:
        owner, own_key = self.place(key)
        owner.rebind(own_key, array)

    # dict's own would read its storage, which stays empty here
    keys = Mapping.keys  # type: ignore[assignment]
    values = Mapping.values  # type: ignore[assignment]
    items = Mapping.items  # type: ignore[assignment]
    get = Mapping.get  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return copyreg.__newobj__, (type(self),), self.__dict__  # type: ignore[attr-defined]
