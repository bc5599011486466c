"""A learned function of one number, beside its samples."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_fit
from tests.picture_checks import look_right

X = np.array([[3.0], [-1.0], [0.5]])
Y = np.array([[1.0], [2.0], [-3.0]])


def lines(figure):
    return {line.get_label(): line for line in figure.axes[0].lines}


@pytest.mark.parametrize("flat", [False, True])
def test_the_curves_are_the_model_and_the_truth_beyond_the_samples(flat):
    x, y = (X[:, 0], Y[:, 0]) if flat else (X, Y)
    figure = plot_fit(nn.Tanh(), x, y, truth=np.sin, title="mine")
    drawn = lines(figure)
    assert list(drawn) == ["samples", "truth", "model"]
    np.testing.assert_array_equal(drawn["samples"].get_xydata(), np.hstack([X, Y]))
    assert drawn["samples"].get_linestyle() == "None"
    along, values = drawn["model"].get_data()
    assert (along[0], along[-1]) == (pytest.approx(-1.2), pytest.approx(3.2))
    np.testing.assert_allclose(values, np.tanh(along), rtol=1e-12)
    np.testing.assert_allclose(drawn["truth"].get_ydata(), np.sin(along), rtol=1e-12)
    assert drawn["truth"].get_linestyle() != drawn["model"].get_linestyle()
    look_right(figure)


def test_without_a_truth_and_with_one_sample_there_is_a_picture_too():
    figure = plot_fit(nn.Tanh(), X[:1], Y[:1])
    assert list(lines(figure)) == ["samples", "model"]
    look_right(figure)


def test_the_model_runs_in_evaluation_and_stays_as_it_was():
    model = nn.Sequential(nn.Dropout(0.9, rng=0), nn.Linear(1, 1, rng=0))
    drawn = lines(plot_fit(model, X, Y))["model"]
    assert np.abs(np.diff(drawn.get_ydata(), 2)).max() < 1e-6  # a straight line, nothing dropped
    assert model.training and model[0].training and model.cache is None


@pytest.mark.parametrize(
    ("model", "x", "y", "message"),
    [
        (nn.Tanh(), np.zeros((3, 2)), Y, r"one number in x .*received \(3, 2\) and \(3, 1\)"),
        (nn.Tanh(), X, Y[:2], r"received \(3, 1\) and \(2, 1\)"),
        (nn.Tanh(), [], [], r"received \(0,\)"),
        (nn.Linear(1, 2), X, Y, r"to return \(501, 1\) for \(501, 1\), received \(501, 2\)"),
        (np.tanh, X, Y, "a Layer, received ufunc"),
    ],
)
def test_what_is_no_function_of_one_number_is_refused(model, x, y, message):
    with pytest.raises(ValueError, match=message):
        plot_fit(model, x, y)
