"""Several ways to train in one panel, with their seeds."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_comparison
from tests.picture_checks import look_right

SGD = [{"valid_loss": [0.9, 0.5, 0.1]}, {"valid_loss": [0.7, 0.7, 0.3]}]
ADAM = {"valid_loss": [0.6, 0.3, 0.2]}


def test_lines_are_the_means_of_the_seeds_and_bands_their_range():
    figure = plot_comparison({"SGD": SGD, "Adam": ADAM}, ["valid_loss"], title="mine")
    (axes,) = figure.axes
    first, second = axes.lines
    np.testing.assert_allclose(first.get_xydata(), [[1, 0.8], [2, 0.6], [3, 0.2]])
    np.testing.assert_allclose(second.get_ydata(), [0.6, 0.3, 0.2])
    (band,) = axes.collections  # a single run has none
    corners = {tuple(np.round(corner, 9)) for corner in band.get_paths()[0].vertices}
    assert corners == {(1, 0.7), (1, 0.9), (2, 0.5), (2, 0.7), (3, 0.1), (3, 0.3)}
    assert axes.get_ylabel() == "validation loss (mean per sample)"
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["SGD", "Adam"]
    look_right(figure)


def test_each_column_has_a_panel_and_only_losses_are_logarithmic():
    runs = {"a": {"train_loss": [2.0, 1.0], "valid_accuracy": [0.5, 1.0]}}
    loss, accuracy = plot_comparison(runs, log=True).axes
    assert (loss.get_yscale(), accuracy.get_yscale()) == ("log", "linear")
    assert list(accuracy.lines[0].get_ydata()) == [0.5, 1.0]
    assert accuracy.get_ylim()[1] < 1.02
    assert plot_comparison(runs).axes[0].get_yscale() == "linear"


def test_histories_are_compared_as_they_are():
    history = nn.History()
    for value in (0.5, 0.25):
        history.append(train_loss=value, seconds=1.0)
    (axes,) = plot_comparison({"a": history, "b": [history, history]}, "train_loss").axes
    assert [line.get_ydata().tolist() for line in axes.lines] == [[0.5, 0.25]] * 2


def test_what_has_no_point_is_counted_and_a_run_that_ends_early_ends_the_mean():
    runs = {"a": [{"train_loss": [1.0, np.nan, 0.0, 4.0]}, {"train_loss": [3.0, 1.0, 1.0]}]}
    (axes,) = plot_comparison(runs, ["train_loss"], log=True).axes
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), [2, np.nan, np.nan, np.nan])
    assert axes.get_title(loc="right") == "values left out: 1 not finite, 1 not positive"
    look_right(axes.figure)


def test_a_panel_without_a_point_says_so():
    figure = plot_comparison({"a": {"train_loss": [np.nan]}}, ["train_loss"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["nothing to draw"]
    look_right(figure)


def test_eight_ways_have_eight_colours_and_seven_markers_and_fit():
    runs = {
        f"a way to train, number {i}": {"train_loss": np.linspace(1, i / 10, 50)} for i in range(12)
    }
    figure = plot_comparison(runs, ["train_loss"])
    lines = figure.axes[0].lines
    assert len({line.get_color() for line in lines[:8]}) == 8
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 12
    places = {line.get_markevery()[0] for line in lines}
    assert len(places) > 4  # so that markers of equal curves do not cover each other
    look_right(figure)


@pytest.mark.parametrize(
    ("runs", "columns", "message"),
    [
        ({}, ["train_loss"], "at least one run"),
        ({"a": ADAM}, [], "at least one column"),
        ({"a": ADAM}, ["train_loss"], "'a' has no column 'train_loss'; there are valid_loss"),
        ({"a": nn.History()}, ["train_loss"], "there are none, train first"),
        ({"a": {"train_loss": []}}, ["train_loss"], "'a' has no column 'train_loss'"),
        ({"a": []}, ["train_loss"], r"a History or a list of them for 'a', received \[\]"),
        ({"a": "sgd"}, ["train_loss"], "for 'a', received 'sgd'"),
        ({"a": [1.0, 2.0]}, ["train_loss"], r"for 'a', received \[1.0, 2.0\]"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs, columns, message):
    with pytest.raises(ValueError, match=message):
        plot_comparison(runs, columns)
