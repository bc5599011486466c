"""Arrays as their memory has them: sums and maps along any axes, in any order of memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnscratch.layers.normalization.frames import (
    by_lanes,
    combined,
    frame_of,
    scaled,
    sum_over,
    sums,
)

SIZES = (3, 2, 5, 4)


@st.composite
def arrays(draw, dtype="f8"):
    """Arrays of one shape, each in an order of memory of its own, and some of their axes."""
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 3, 4, 5]), min_size=1, max_size=5))
    axes = draw(st.lists(st.sampled_from(range(len(shape))), unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 9)))
    made = []
    for _ in range(2):
        order, step = draw(st.permutations(range(len(shape)))), draw(st.sampled_from([1, 2, -1]))
        memory = rng.normal(size=[shape[axis] * abs(step) for axis in order])
        x = memory.transpose(np.argsort(order))[tuple(slice(None, None, step) for _ in shape)]
        made.append(x.astype(dtype, order="K") if step == 1 else x.view(dtype))
    return (*made, tuple(sorted(axes)))


@settings(max_examples=150, deadline=None)
@given(arrays())
def test_sums_are_those_of_numpy(of):
    x, y, axes = of
    S, T = sums(frame_of(x, axes), x, y)
    np.testing.assert_allclose(S, x.sum(axes, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(T, (x * y).sum(axes, keepdims=True), atol=1e-12)
    np.testing.assert_allclose(sum_over(axes, x), x.sum(axes), atol=1e-12)


@settings(max_examples=150, deadline=None)
@given(arrays(), st.integers(0, 9))
def test_maps_are_those_of_numpy_and_keep_the_order_of_memory(of, seed):
    x, dy, axes = of
    frame, rng = frame_of(x, axes), np.random.default_rng(seed)
    A, B, C = (rng.normal(size=frame.statistics) for _ in range(3))
    y, dx = scaled(frame, x, A, B), combined(frame, dy, A, x, B, C)
    np.testing.assert_array_equal(y, x * A + B)
    np.testing.assert_array_equal(dx, dy * A + x * B + C)
    long = [axis for axis, n in enumerate(x.shape) if n > 1]
    if x.size:
        order = sorted(long, key=lambda axis: -abs(x.strides[axis]))
        assert order == sorted(long, key=lambda axis: -y.strides[axis])


@pytest.mark.parametrize(
    ("axes", "sizes"),
    [
        ((0, 2, 3), (3, 2, 20, 1)),
        ((2, 3), (1, 6, 20, 1)),
        ((0,), (1, 1, 3, 40)),
        ((0, 2), (3, 2, 5, 4)),
        ((), (1, 1, 1, 120)),
        ((0, 1, 2, 3), (1, 1, 120, 1)),
    ],
)
def test_neighbours_that_change_alike_are_one_axis(axes, sizes):
    frame = frame_of(np.empty(SIZES), axes)
    assert frame.sizes == sizes
    assert np.shares_memory(frame.of(x := np.empty(SIZES)), x)


def test_more_changes_than_four_are_copied_into_another_order():
    x = np.random.default_rng(0).normal(size=(3, 4, 5, 2)).transpose(0, 2, 1, 3)
    frame = frame_of(x, (2, 3))  # memory: kept, summed, kept, summed
    assert frame.sizes == (1, 15, 8, 1) and not np.shares_memory(frame.of(x), x)
    S, _ = sums(frame, x, x)
    np.testing.assert_allclose(S, x.sum((2, 3), keepdims=True))


def test_statistics_are_packed_and_unpacked():
    x = np.random.default_rng(0).normal(size=(5, 2, 3, 4)).transpose(3, 1, 0, 2)
    frame = frame_of(x, (2, 3))
    S = x.sum((2, 3), keepdims=True)
    np.testing.assert_array_equal(frame.unpacked(frame.packed(S)), S)
    np.testing.assert_array_equal(frame.packed(S[:1])[0], np.repeat(S[0, 0], 4))


@pytest.mark.parametrize("n", [0, 1, 31, 32, 33, 64, 100])
def test_lanes_add_up_to_the_sum(n):
    rows = np.random.default_rng(n).normal(size=(3, n))
    np.testing.assert_allclose(by_lanes(rows), rows.sum(1), atol=1e-12)
