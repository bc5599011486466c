"""A part of an array, named by a key as in NumPy: y = x[key]."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnscratch.kinds import array_of, checks_kinds
from nnscratch.layers.base import Layer, floating

__all__ = ["Index"]

Key = Any  # int, slice, None, Ellipsis, integers or booleans in lists or arrays, or a tuple of them


class Index(Layer):
    """The elements that a key names: y = x[key]. On nodes of a graph, `node[key]` is the same.

    Parameters
    ----------
    key : int, slice, None, Ellipsis, list or array of integers or booleans, or a tuple of them
        As between NumPy's brackets, of the whole array, the batch too. `np.s_[:, -1]` writes
        slices shortly.

    Notes
    -----
    *Forward*: each number of y is one of x: y = S x for a matrix S of zeros with a single 1 in
    each row, were x and y written as columns.

    *Backward*: dx = Sᵀ dy: dy goes to the places that were taken, 0 to the others. What a list of
    integers takes several times gets the sum, hence += ([Recitation], "when to use = and when to
    use +="). Slices take every place at most once.

    *Shapes*: x any that the key fits; y as in NumPy. y is a view of x for a key of integers and
    slices.

    *Cache*: the shape of x.

    Raises
    ------
    ValueError
        The key does not fit x, or holds something else.

    References
    ----------
    [Recitation] rule 4(b), with a selection as the Jacobian.

    Examples
    --------
    >>> layer = Index(np.s_[:, -1])
    >>> layer
    Index((slice(None), -1))
    >>> layer.forward(np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([2., 4.])
    >>> layer.backward([10.0, 20.0])[0]
    array([[ 0., 10.],
           [ 0., 20.]])
    >>> layer = Index([2, 0, 2])
    >>> y = layer.forward(np.array([1.0, 2.0, 3.0]))
    >>> layer.backward([1.0, 10.0, 100.0])[0]
    array([ 10.,   0., 101.])
    """

    @checks_kinds
    def __init__(self, key: Key) -> None:
        self.key = tuple(map(_checked, key)) if isinstance(key, tuple) else _checked(key)
        parts = self.key if isinstance(self.key, tuple) else (self.key,)
        lists = [part for part in parts if isinstance(part, np.ndarray)]
        self._repeats = any(part.dtype.kind in "iu" for part in lists)

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = floating(x)
        try:
            return x[self.key], x.shape
        except IndexError as error:
            self.refuse("an array that the key fits", x, f"{error}; change the key")

    def backward_pass(self, dy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        dx = np.zeros(shape, dy.dtype)
        if self._repeats:
            np.add.at(dx, self.key, dy)
        else:
            dx[self.key] = dy
        return dx

    def __repr__(self) -> str:
        if not isinstance(self.key, tuple):
            return f"Index({_told(self.key)})"
        comma = "," if len(self.key) == 1 else ""
        return f"Index(({', '.join(map(_told, self.key))}{comma}))"


def _checked(part: Any) -> Any:
    """A part of a key as it is kept: lists as arrays, copied, and whole numbers as ints."""
    if part is None or part is Ellipsis or isinstance(part, bool):
        return part
    if isinstance(part, slice):
        return slice(*map(_bound, (part.start, part.stop, part.step)))
    array = np.array(array_of("Index", part))
    if array.size == 0 and not isinstance(part, np.ndarray):
        array = array.astype(np.intp)  # an empty list is one of integers, as in NumPy
    if array.dtype.kind not in "iub":
        raise ValueError(
            f"Index expected integers, slices, None, ... or booleans, received {part!r}; "
            "a key is what stands between NumPy's brackets"
        )
    return array if array.ndim or array.dtype.kind == "b" else int(array)


def _bound(number: Any) -> int | None:
    return None if number is None else int(_checked(number))


def _told(part: Any) -> str:
    if isinstance(part, slice):
        start, stop, step = part.start, part.stop, part.step
        if step is not None:
            return f"slice({start}, {stop}, {step})"
        return f"slice({stop})" if start is None else f"slice({start}, {stop})"
    return "..." if part is Ellipsis else repr(part.tolist() if hasattr(part, "tolist") else part)
