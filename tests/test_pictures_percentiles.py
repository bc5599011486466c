"""The percentiles of some numbers over the steps of a training."""

import numpy as np
import pytest

from nnscratch.plots import plot_percentiles
from tests.picture_checks import look_right

ROWS = np.random.default_rng(0).normal(size=(5, 40)) * [[1], [2], [3], [4], [5]]


def test_the_lines_are_the_percentiles_of_each_record():
    figure = plot_percentiles({"a": ROWS, "b": 2 * ROWS + 1}, steps=[0, 10, 20, 40, 80], what="z")
    for axes, rows in zip(figure.axes, (ROWS, 2 * ROWS + 1), strict=True):
        for line, percent in zip(axes.lines, (15, 50, 85), strict=True):
            assert list(line.get_xdata()) == [0, 10, 20, 40, 80]
            np.testing.assert_allclose(line.get_ydata(), np.percentile(rows, percent, axis=1))
        low, middle, high = axes.lines
        assert low.get_color() == high.get_color() != middle.get_color()
        assert low.get_linestyle() == high.get_linestyle() != middle.get_linestyle()
    first, second = figure.axes
    assert first.get_ylim() == second.get_ylim()
    assert (first.get_title(loc="left"), first.get_ylabel()) == ("a", "z")
    look_right(figure)


def test_accuracies_have_a_panel_of_their_own():
    curves = {"a": [0.1, 0.3, 0.6, 0.9, 1.0], "b": [0.1, 0.2, 0.2, np.nan, 0.4]}
    figure = plot_percentiles({"a": ROWS, "b": ROWS}, accuracy=curves, title="mine")
    first = figure.axes[0]
    assert len(figure.axes) == 3 and first.get_ylabel() == "accuracy (share correct)"
    for line, (name, curve) in zip(first.lines, curves.items(), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_ydata(), curve)
    assert [t.get_text() for t in first.get_legend().get_texts()] == ["a", "b"]
    assert first.get_ylim() != figure.axes[1].get_ylim()
    look_right(figure)


def test_records_that_are_not_finite_are_gaps_and_counted():
    rows = ROWS.copy()
    rows[1, 3], rows[4, 0] = np.nan, np.inf
    (axes,) = plot_percentiles({"a": rows}).axes
    for line in axes.lines:
        assert np.isnan(line.get_ydata()).tolist() == [False, True, False, False, True]
    assert axes.get_title(loc="right") == "values left out: 2 not finite"
    look_right(plot_percentiles({"a": rows * np.nan}))


@pytest.mark.parametrize(
    ("samples", "options", "message"),
    [
        ({}, {}, "received {}"),
        ({"a": ROWS[0]}, {}, r"arrays \(records, samples\) .*received {'a': \(40,\)}"),
        ({"a": ROWS, "b": ROWS[:3]}, {}, "equally many records"),
        ({"a": ROWS[:0]}, {}, "at least one"),
        ({"a": ROWS[:, :0]}, {}, "at least one"),
        ({"a": ROWS}, {"steps": [1, 2]}, r"5 rising steps.*received \(2,\)"),
        ({"a": ROWS}, {"steps": [1, 2, 2, 3, 4]}, "rising steps"),
        ({"a": ROWS}, {"accuracy": {"a": [0.5]}}, r"each of 5 records, received \[\(1,\)\]"),
    ],
)
def test_what_has_no_percentiles_is_refused(samples, options, message):
    with pytest.raises(ValueError, match=message):
        plot_percentiles(samples, **options)


def test_records_without_neighbours_are_seen():
    gap = np.where(np.arange(5)[:, np.newaxis] == 1, np.nan, ROWS)
    figure = plot_percentiles({"one": ROWS[:1]}, accuracy={"one": [0.5]})
    other = plot_percentiles({"gap": gap})
    for axes in (*figure.axes, *other.axes):
        for line in axes.lines:
            assert line.get_marker() not in ("", "None")
            assert list(line.get_markevery()) == [0]
    look_right(figure)


def test_long_names_stay_within_their_panels():
    look_right(plot_percentiles({"a long name of a layer " * 6: ROWS, "b": ROWS}))
