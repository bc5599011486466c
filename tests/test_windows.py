"""The windows along an axis, against a list of the places that each of them covers."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nnscratch.layers.spatial.windows import Windows, one_or_all, windows_per_axis

windows = st.builds(
    Windows,
    size=st.integers(1, 5),
    stride=st.integers(1, 6),
    before=st.integers(0, 7),
    after=st.integers(0, 7),
    dilation=st.integers(1, 4),
)


def covered(axis, length):
    """The places that each whole window covers, by sliding it on until it leaves the zeros."""
    windows, start = [], -axis.before
    while True:
        window = [start + element * axis.dilation for element in range(axis.size)]
        if window[-1] >= length + axis.after:
            return windows
        windows.append(window)
        start += axis.stride


@given(windows, st.integers(0, 20))
def test_count_and_start_are_those_of_sliding_on_step_by_step(axis, length):
    windows = covered(axis, length)
    assert axis.count(length) == len(windows)
    assert [axis.start(i) for i in range(len(windows))] == [window[0] for window in windows]


@given(windows)
def test_extent_counts_the_places_from_the_first_to_the_last_element(axis):
    (first, *_), *_ = covered(axis, 40)
    last = covered(axis, 40)[0][-1]
    assert axis.extent == last - first + 1


@given(windows, st.integers(0, 20))
@example(Windows(2, stride=5, before=7, after=7), 1)  # windows on zeros alone, on both sides
@example(Windows(1, stride=6, before=2), 3)  # a stride that steps over the whole axis
def test_inside_pairs_each_window_with_the_place_of_its_element(axis, length):
    windows = covered(axis, length)
    for element in range(axis.size):
        which, places = axis.inside(element, length)
        expected = [
            (i, window[element])
            for i, window in enumerate(windows)
            if 0 <= window[element] < length
        ]
        found = zip(range(len(windows))[which], range(length)[places], strict=True)
        assert list(found) == expected


@given(windows, st.integers(0, 20))
def test_seers_are_the_windows_that_cover_a_place_and_where_in_them_it_lies(axis, length):
    whole = covered(axis, length)
    for place in range(length):
        elements, which = axis.seers(place, len(whole))
        found = zip(range(axis.size)[elements], range(len(whole))[which], strict=True)
        assert list(found) == [
            (axis.size - 1 - window.index(place), i)
            for i, window in enumerate(whole)
            if place in window
        ]


@given(windows, st.integers(1, 20))
def test_reach_is_the_shortest_length_with_that_many_windows(axis, count):
    shortest = axis.reach(count)
    assert axis.count(shortest) == count
    assert axis.count(shortest - 1) == count - 1
    assert axis.count(shortest + axis.stride - 1) == count


def test_the_drawing_of_the_module():
    assert covered(Windows(3, stride=4, before=1, after=2), 8) == [
        [-1, 0, 1],
        [3, 4, 5],
        [7, 8, 9],
    ]


# Arguments as users write them -----------------------------------------------------------------


def ends(padding, axes, kernel_size=3, **options):
    found = windows_per_axis("Correlation", axes, kernel_size, padding=padding, **options)
    return [(axis.before, axis.after) for axis in found]


@pytest.mark.parametrize(
    ("padding", "axes", "expected"),
    [
        (2, 1, [(2, 2)]),
        (2, 2, [(2, 2), (2, 2)]),
        (np.int64(2), 2, [(2, 2), (2, 2)]),
        ((2,), 1, [(2, 2)]),
        ((1, 2), 1, [(1, 2)]),  # one axis: before and after
        (((1, 2),), 1, [(1, 2)]),
        ((1, 2), 2, [(1, 1), (2, 2)]),  # two axes: one entry each
        ((1, (2, 3)), 2, [(1, 1), (2, 3)]),
        ([[1, 2], [3, 4]], 2, [(1, 2), (3, 4)]),
        ("valid", 2, [(0, 0), (0, 0)]),
    ],
)
def test_padding_is_an_int_one_per_axis_or_a_pair_per_axis(padding, axes, expected):
    assert ends(padding, axes) == expected


def test_every_argument_is_one_for_all_axes_or_one_per_axis():
    assert windows_per_axis("Correlation2d", 2, 3, 2, 1, 4) == (Windows(3, 2, 1, 1, 4),) * 2
    assert windows_per_axis("Correlation2d", 2, (3, 5), [2, 7], (1, 0), (4, 6)) == (
        Windows(3, 2, 1, 1, 4),
        Windows(5, 7, 0, 0, 6),
    )


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 20))
def test_same_makes_as_many_windows_as_places(size, dilation, length):
    (axis,) = windows_per_axis("Correlation1d", 1, size, padding="same", dilation=dilation)
    assert axis.count(length) == length
    assert axis.after - axis.before == dilation * (size - 1) % 2  # the extra zero at the end


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 20))
def test_full_makes_a_window_for_every_overlap(size, dilation, length):
    (axis,) = windows_per_axis("Correlation1d", 1, size, padding="full", dilation=dilation)
    windows = covered(axis, length)
    assert axis.count(length) == length + dilation * (size - 1)
    assert windows[0][-1] == 0
    assert windows[-1][0] == length - 1


@given(windows, st.integers(1, 20))
def test_same_has_a_window_for_every_stride_and_as_few_zeros_as_that_takes(axis, length):
    on = replace(axis, before=0, after=0, fit="same").on(length)
    count = -(-length // axis.stride)
    assert on.count(length) == count
    assert on.after - on.before in (0, 1)
    zeros = on.before + on.after
    assert not zeros or replace(on, before=0, after=zeros - 1).count(length) == count - 1
    assert axis.on(length) == axis


@given(windows, st.integers(1, 20))
def test_ceil_adds_a_last_window_if_it_starts_before_the_end_of_the_axis(axis, length):
    on = replace(axis, fit="ceil").on(length)
    starts = [axis.start(i) for i in range(length + 30)]
    ends = [start + axis.extent for start in starts]
    whole = axis.count(length)
    if (
        ends[whole - 1] < length + axis.after
        if whole
        else ends[0] - axis.stride < length + axis.after
    ):
        whole += starts[whole] < length  # what is left over is not empty
    assert on.count(length) == whole
    assert on.before == axis.before
    assert on.after >= axis.after


@pytest.mark.parametrize("fit", ["", "same", "ceil"])
@given(axis=windows)
def test_the_least_length_has_a_window_and_one_less_has_none(fit, axis):
    axis = replace(axis, before=min(axis.before, axis.size // 2), after=0, fit=fit)
    least = axis.least
    assert axis.on(least).count(least) >= 1
    assert least == 1 or axis.on(least - 1).count(least - 1) == 0


@given(windows, st.integers(1, 20), st.integers(-3, 3), st.integers(4, 20))
def test_seen_counts_the_elements_between_two_places(axis, length, low, high):
    expected = [sum(low <= place < high for place in window) for window in covered(axis, length)]
    assert list(axis.seen(length, low, high)) == expected


@pytest.mark.parametrize("wrong", [0, -1, 1.5, None, "3", (3,), (3, 0), (3, 3, 3), (3, 2.0), ()])
@pytest.mark.parametrize("argument", ["kernel_size", "stride", "dilation"])
def test_kernel_stride_and_dilation_are_positive_ints(argument, wrong):
    with pytest.raises(
        ValueError,
        match=rf"Correlation2d expected {argument} to be a positive int or 2 of them, one per axis",
    ):
        windows_per_axis("Correlation2d", 2, **{"kernel_size": 3, argument: wrong})


@pytest.mark.parametrize(
    "wrong", [-1, 1.5, None, (1,), (1, 2, 3), (1, -2), ((1, 2, 3), 1), ((1, -2), 1), ("same", 1)]
)
def test_padding_is_not_negative_and_fits_the_axes(wrong):
    with pytest.raises(ValueError, match=r"expected padding to be an int of at least 0, one per"):
        ends(wrong, 2)


def test_a_single_axis_takes_no_two_pairs():
    for wrong in (((1, 2), (3, 4)), (1, 2, 3), ((1, 2), 3)):
        with pytest.raises(ValueError, match="expected padding"):
            ends(wrong, 1)


def test_a_misspelt_padding_is_told_the_three_names():
    with pytest.raises(ValueError, match=r'"valid", "same" or "full", received \'SAME\''):
        ends("SAME", 2)


def test_one_or_all_writes_equal_values_once():
    assert one_or_all([3, 3]) == 3
    assert one_or_all([3, 5]) == (3, 5)
    assert one_or_all([(1, 2), (1, 2)]) == (1, 2)
