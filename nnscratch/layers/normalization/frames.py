"""Arrays as their memory has them, for statistics that are shared along some of the axes.

Wherever the axes lie, neighbours in memory along which the statistics stay the same, or change, are
one axis here, four in all:

    x (outer, kept, inner, along)     statistics (kept, along)

    images (H, C, W, N) with one mean per channel:      outer H   kept C   inner W·N
    the same, per channel and sample:                   outer H   kept C   inner W   along N
    images (N, C, H, W) with one mean per channel:      outer N   kept C   inner H·W
    rows (N, F) with one mean per feature:                                 inner N   along F

Sums go along `outer` first, one after the other, so that what is added to stays in the cache, then
along `inner`: one after the other too where `along` follows it, or else in 32 lanes, as vectors
of a processor do. The order is written down, so that the loops in C come to the same bits.
"""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import NamedTuple

import numpy as np

from nnscratch import compiled

Axes = tuple[int, ...]
LANES = 32  # as in loops/normalization.c
BLOCK = 65536  # numbers of a few arrays that stay in the processor's second cache


class Frame(NamedTuple):
    """How arrays of one shape and order of memory become four axes, and back.

    >>> x = np.arange(6.0).reshape(2, 3)
    >>> frame = frame_of(x, (0,))  # a number for each column
    >>> frame.sizes, sums(frame, x, x)
    ((1, 1, 2, 3), (array([[3., 5., 7.]]), array([[ 9., 17., 29.]])))
    """

    order: Axes  # from outer to inner
    memory: tuple[int, ...]  # the shape of x in this order
    sizes: tuple[int, ...]  # outer, kept, inner, along
    statistics: tuple[int, ...]  # their shape, with size 1 along the other axes
    lies: Axes  # the order of x itself, where it is another one

    def of(self, x: np.ndarray) -> np.ndarray:
        """x as four axes: a view, or a copy where its memory has another order or gaps."""
        return np.ascontiguousarray(x.transpose(self.order).reshape(self.sizes))

    def back(self, framed: np.ndarray) -> np.ndarray:
        """Four axes as an array like x, in its order of memory."""
        y = framed.reshape(self.memory).transpose(_inverse(self.order))
        if self.lies == self.order:
            return y
        return np.ascontiguousarray(y.transpose(self.lies)).transpose(_inverse(self.lies))

    def packed(self, statistics: np.ndarray) -> np.ndarray:
        """(kept, along), from what has size 1 along the other axes, or broadcasts to it."""
        if statistics.shape != self.statistics:
            statistics = np.broadcast_to(statistics, self.statistics)
        _, kept, _, along = self.sizes
        return np.ascontiguousarray(statistics.transpose(self.order).reshape(kept, along))

    def unpacked(self, statistics: np.ndarray) -> np.ndarray:
        """The other way round than `packed`."""
        shape = [self.statistics[axis] for axis in self.order]
        return statistics.reshape(shape).transpose(_inverse(self.order))


def frame_of(x: np.ndarray, axes: Axes) -> Frame:
    """The frame of x whose statistics are shared along axes.

    Where four axes are too few, it is that of a copy with the other axes before them.

    >>> frame_of(np.empty((2, 3, 4, 5)), (2, 3)).sizes
    (1, 6, 20, 1)
    """
    return _frame(x.shape, tuple(map(abs, x.strides)), axes)


@lru_cache(256)  # training asks for the same few in every step
def _frame(shape: tuple[int, ...], strides: tuple[int, ...], axes: Axes) -> Frame:
    order = tuple(sorted(range(len(shape)), key=lambda axis: -strides[axis]))
    sizes, slot = [1, 1, 1, 1], 3
    for axis in reversed(order):
        if shape[axis] == 1:
            continue
        if (axis in axes) == slot % 2:  # the odd ones are those of statistics
            slot -= 1
        if slot < 0:  # more changes than there are axes
            kept_first = tuple(int(axis not in axes) for axis in range(len(shape)))
            return _frame(shape, kept_first, axes)._replace(lies=order)
        sizes[slot] *= shape[axis]
    statistics = tuple(1 if axis in axes else n for axis, n in enumerate(shape))
    memory = tuple(shape[axis] for axis in order)
    return Frame(order, memory, tuple(sizes), statistics, order)


@lru_cache(256)
def _inverse(order: Axes) -> Axes:
    return tuple(order.index(axis) for axis in range(len(order)))


def sums(frame: Frame, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(Σ x, Σ x ∘ y) along the axes of a frame, which stay with size 1."""
    of_x = frame.of(x)
    of_y = of_x if y is x else frame.of(y)
    _, kept, _, along = frame.sizes
    S, T = np.empty((kept, along), x.dtype), np.empty((kept, along), x.dtype)
    if not compiled.sums(of_x, of_y, S, T):
        S, T = _both_summed(of_x, of_y)
    return frame.unpacked(S), frame.unpacked(T)


def sum_over(axes: Axes, x: np.ndarray) -> np.ndarray:
    """Σ x along axes, which disappear.

    >>> sum_over((0,), np.array([[1.0, 2.0], [3.0, 4.0]]))
    array([4., 6.])
    """
    frame = frame_of(x, axes)
    return np.squeeze(frame.unpacked(_summed(frame.of(x))), axes)


def _summed(framed: np.ndarray) -> np.ndarray:
    return _along_inner(framed[0] if len(framed) == 1 else one_by_one(framed))


def _both_summed(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    outer, _, _, along = x.shape
    if outer != 1:
        S, T = both_one_by_one(x, y)
        return _along_inner(S), _along_inner(T)
    if along != 1:
        return both_one_by_one(x[0].swapaxes(0, 1), y[0].swapaxes(0, 1))
    return _along_inner(x[0]), _along_inner(x[0] * y[0])


def _along_inner(total: np.ndarray) -> np.ndarray:
    """(kept, inner, along) -> (kept, along)."""
    if total.shape[2] != 1:
        return np.add.reduce(total, axis=1)
    return by_lanes(total[:, :, 0])[:, np.newaxis]


def one_by_one(x: np.ndarray) -> np.ndarray:
    """0 + x[0] + x[1] + ..., in this order; `np.sum` has one of its own along what is innermost."""
    if prod(x.shape[1:]) > 1 or not len(x):
        return np.add.reduce(x, axis=0)
    return 0 + np.add.accumulate(x, axis=0)[-1]


def both_one_by_one(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x[0] + x[1] + ... and x[0] ∘ y[0] + x[1] ∘ y[1] + ..., in this order.

    >>> both_one_by_one(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    (array([4., 6.]), array([4., 4.]))
    """
    size = max(prod(x.shape[1:]), 1)
    if 8 * size > BLOCK:  # one place is enough for a call, and what is added to stays in the cache
        S, T = np.zeros(x.shape[1:], x.dtype), np.zeros(x.shape[1:], x.dtype)
        product = np.empty_like(T)
        for of_x, of_y in zip(x, y, strict=True):
            S += of_x
            T += np.multiply(of_x, of_y, out=product)
        return S, T
    each = max(min(BLOCK // size, len(x)), 1)
    terms = np.zeros((each + 1, *x.shape[1:]), x.dtype)  # the first is the sum of those before
    for start in range(0, len(x), each):
        few = x[start : start + each]
        np.multiply(few, y[start : start + each], out=terms[1 : len(few) + 1])
        terms[0] = one_by_one(terms[: len(few) + 1])
    return one_by_one(x), terms[0].copy()


def by_lanes(rows: np.ndarray) -> np.ndarray:
    """The sum of each row in 32 lanes: every 32nd number, one after the other; then by halves.

    Of NumPy's functions that add in this order, einsum is the fastest along so short runs.

    >>> by_lanes(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    array([ 6., 15.])
    """
    count, n = rows.shape
    whole = n - n % LANES
    lanes = np.einsum("ijk->ik", rows[:, :whole].reshape(count, n // LANES, LANES))
    if whole < n:
        lanes[:, : n - whole] += rows[:, whole:]
    lanes = np.ascontiguousarray(lanes.T)  # long runs for what follows
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = lanes[:half] + lanes[half:]
    return lanes[0]


def scaled(frame: Frame, x: np.ndarray, A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """x ∘ A + B, in x's order of memory."""
    x, A, B = frame.of(x), frame.packed(A), frame.packed(B)
    y = np.empty_like(x)
    if not compiled.scaled(x, y, A, B):
        np.multiply(x, _spread(A, x), out=y)
        y += _spread(B, x)
    return frame.back(y)


def combined(
    frame: Frame, dy: np.ndarray, A: np.ndarray, x: np.ndarray, C: np.ndarray, D: np.ndarray
) -> np.ndarray:
    """dy ∘ A + x ∘ C + D, in x's order of memory."""
    x, dy = frame.of(x), frame.of(dy)
    A, C, D = frame.packed(A), frame.packed(C), frame.packed(D)
    dx = np.empty_like(x)
    if not compiled.combined(x, dy, dx, A, C, D):
        np.multiply(dy, _spread(A, x), out=dx)
        dx += x * _spread(C, x)
        dx += _spread(D, x)
    return frame.back(dx)


def _spread(statistics: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Statistics that broadcast against x.

    Along short runs a ufunc copies them into buffers, which costs more than its work; where they
    are the same along `outer`, what holds them for all the rest is small beside x.
    """
    outer, _, inner, _ = x.shape
    across = statistics[:, np.newaxis]
    return across if outer == 1 else np.repeat(across, inner, axis=1)
