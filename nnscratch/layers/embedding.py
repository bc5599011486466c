"""Embedding: integers in, one learned vector for each out."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from nnscratch.kinds import as_array, checks_kinds
from nnscratch.layers.base import Grads, Layer
from nnscratch.layers.written import written

__all__ = ["Embedding"]


class Embedding(Layer):
    """A table of vectors, looked up by their numbers: y = W[x].

    Parameters
    ----------
    count : int
        How many vectors there are; x holds integers in 0 ... count - 1.
    features : int
        The size of each.
    rng : int, numpy.random.Generator or None
        Draws W, whose elements are standard normal.
    padding_index : int or None
        The number that fills short sequences up: its vector is 0 at first and gets no gradient.

    Notes
    -----
    *Forward*: y_n = W[x_n], the row of that number. That is Linear without b on one-hot rows E,
    y = E W with E_ni = 1 where x_n = i, else 0, but without the multiplications by 0.

    *Backward*: integers do not move a little, so there is no gradient by them: dx is None.

    *Gradient*: ΔL = ⟨dy, E ΔW⟩, so dW = Eᵀ dy: row i is the sum of dy_n over all n with
    x_n = i, in which a number that occurs twice counts twice, and 0 where there is none. The
    row of `padding_index` is held: its part of dW is 0.

    *Shapes*: x any, of integers; y x's with features as a further, last axis; W
    (count, features).

    *Cache*: x.

    Raises
    ------
    ValueError
        x holds other numbers than integers, or one out of range; a size is not positive, or
        padding_index none of the numbers.

    References
    ----------
    [Recitation], "when to use = and when to use +=", for the rows that are used twice.

    Examples
    --------
    >>> layer = Embedding(4, 2, rng=0)
    >>> layer.forward([[0, 3, 3]]).shape
    (1, 3, 2)
    >>> dx, grads = layer.backward([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])
    >>> grads["W"]
    array([[ 1.,  2.],
           [ 0.,  0.],
           [ 0.,  0.],
           [ 8., 10.]], dtype=float32)
    >>> layer.forward([[0, 7, 3]])
    Traceback (most recent call last):
    ValueError: Embedding(4, 2) expected integers in 0 ... 3, received 7 as x[0, 1];
    make it Embedding(8, 2) or number from 0 without gaps
    """

    @checks_kinds
    def __init__(
        self, count: int, features: int, rng: Any = None, padding_index: int | None = None
    ) -> None:
        self.count, self.features = index(count), index(features)
        if self.count < 1 or self.features < 1:
            raise ValueError(
                f"Embedding expected sizes of at least 1, received {count} and {features}"
            )
        self.padding_index = None if padding_index is None else index(padding_index)
        if self.padding_index is not None and not 0 <= self.padding_index < self.count:
            raise ValueError(
                f"Embedding expected padding_index in 0 ... {self.count - 1} or None, received "
                f"{padding_index}"
            )
        W = np.random.default_rng(rng).normal(0, 1, (self.count, self.features))
        if self.padding_index is not None:
            W[self.padding_index] = 0
        self.params = {"W": W.astype(np.float32)}

    def forward_pass(self, x: Any) -> tuple[np.ndarray, Any]:
        x = as_array(x)
        self._check(x)
        x = x.astype(np.intp, copy=False)
        return self.params["W"].take(x, axis=0), x

    def backward_pass(self, dy: np.ndarray, x: np.ndarray) -> None:
        """None, in place of a gradient."""

    def gradient_pass(self, dy: np.ndarray, x: np.ndarray) -> Grads:
        from scipy.sparse import csr_array  # slow to import and needed only here

        # E itself, of which only the ones are kept: many times faster than np.add.at(dW, x, dy)
        ones, row_starts = np.ones(x.size, dy.dtype), np.arange(x.size + 1)
        one_hot = csr_array((ones, x.ravel(), row_starts), shape=(x.size, self.count))
        dW = one_hot.T @ dy.reshape(x.size, self.features)
        if self.padding_index is not None:
            dW[self.padding_index] = 0
        return {"W": dW.astype(dy.dtype, copy=False)}  # scipy takes float16 for float32

    def _check(self, x: np.ndarray) -> None:
        wanted = f"{self} expected integers in 0 ... {self.count - 1}, received"
        if x.dtype.kind not in "iu":
            raise ValueError(f"{wanted} {x.dtype}; pass x.astype(np.int64) if they are whole")
        if not x.size or (x.min() >= 0 and x.max() < self.count):
            return
        place = np.unravel_index(np.argmax((x < 0) | (x >= self.count)), x.shape)
        larger = written(self, count=int(x.max()) + 1)
        remedy = f"make it {larger} or number from 0 without gaps"
        if x[place] < 0:
            remedy = "nothing counts from the end here; give what is unknown a number of its own"
        where = f"x[{', '.join(str(i) for i in place)}]" if x.ndim else "x"
        raise ValueError(f"{wanted} {x[place]} as {where}; {remedy}")

    def __repr__(self) -> str:
        return written(self)
