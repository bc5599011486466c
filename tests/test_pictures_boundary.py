"""The decision boundary of a classifier of points."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb

import nnscratch as nn
from nnscratch.plots import plot_decision_boundary
from nnscratch.plots.colours import COLOURS
from tests.picture_checks import look_right

X = np.array([[-1.0, 3.0], [2.0, 0.0], [1.0, 1.0], [-2.0, -1.0]])
Y = [0, 1, 0, 0]


def sides(columns=2, steepness=1.0):
    """Class 1 where the first coordinate is positive; as two scores, or as one logit."""
    model = nn.Linear(2, columns, rng=0)
    model.params["W"] = steepness * np.array([[-1.0, 0], [1, 0]])[-columns:]
    model.params["b"] = np.zeros(columns)
    return model


def background(figure):
    """(colours (height, width, 3), left, right, bottom, top), the first row below."""
    (image,) = figure.axes[0].images
    assert image.origin == "lower"
    return np.asarray(image.get_array()), *image.get_extent()


@pytest.mark.parametrize("columns", [2, 1])
def test_the_background_has_the_colour_of_the_predicted_class(columns):
    colours, left, right, bottom, top = background(plot_decision_boundary(sides(columns), X, Y))
    assert left < -2 and right > 2 and bottom < -1 and top > 3
    places = np.linspace(left, right, colours.shape[1])
    for side, colour in ((places < 0, COLOURS[0]), (places > 0, COLOURS[1])):
        towards = 1 - np.array(to_rgb(colour))
        share = (1 - colours[:, side]) / towards
        np.testing.assert_allclose(share.min(-1), share.max(-1), atol=1e-12)  # paler, no other
    shares = (1 - colours[0])[:, 0] / (1 - to_rgb(COLOURS[0])[0])
    certain = shares[places < 0]
    assert (np.diff(certain) < 0).all() and certain[0] > 0.3 > certain[-1] > 0


def test_a_line_parts_the_classes_where_the_scores_are_equal():
    figure = plot_decision_boundary(sides(), X, Y)
    (line,) = figure.axes[0].collections
    (path,) = line.get_paths()
    np.testing.assert_allclose(path.vertices[:, 0], 0, atol=1e-6)
    look_right(figure)


def test_where_one_class_wins_everywhere_there_is_no_line():
    model = sides()
    model.params["b"] = [100.0, 0.0]
    assert not plot_decision_boundary(model, X, Y).axes[0].collections


def test_three_classes_are_parted_and_huge_scores_are_no_obstacle():
    model = nn.Linear(2, 3)
    model.params["W"], model.params["b"] = 1e30 * np.array([[1, 0], [0, 1], [-1, -1]]), np.zeros(3)
    figure = plot_decision_boundary(model, X, [1, 0, 0, 2])
    assert len(figure.axes[0].collections) == 3
    look_right(figure)


def test_points_have_the_colour_and_the_marker_of_their_true_class():
    figure = plot_decision_boundary(sides(), X, Y, ["left", "right"])
    first, second = figure.axes[0].lines
    np.testing.assert_array_equal(first.get_xydata(), X[[0, 2, 3]])
    np.testing.assert_array_equal(second.get_xydata(), X[[1]])
    assert tuple(first.get_color()) == to_rgb(COLOURS[0])
    assert first.get_marker() != second.get_marker()
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["left", "right"]
    assert figure.get_suptitle() == "accuracy 0.7500: 3 of 4 right"


def test_with_a_title_the_accuracy_stands_below_it():
    figure = plot_decision_boundary(sides(1), X, Y, title="$ mine $")
    assert figure.get_suptitle() == "$ mine $"
    assert figure.axes[0].get_title(loc="right") == "accuracy 0.7500: 3 of 4 right"
    look_right(figure)


def test_a_place_is_as_wide_as_it_is_high():
    colours, left, right, bottom, top = background(plot_decision_boundary(sides(), X, Y))
    height, width = colours.shape[:2]
    assert max(height, width) == 500
    assert (right - left) / (width - 1) == pytest.approx((top - bottom) / (height - 1), rel=0.01)
    assert plot_decision_boundary(sides(), X, Y).axes[0].get_aspect() == 1


@pytest.mark.parametrize(
    "x", [X[:1], X * [1, 0], X * [0, 1], X * 1e-6, X * 1e6 + 1e7, X.astype(np.float32), X[:, ::-1]]
)
def test_points_of_any_place_and_spread_are_drawn(x):
    look_right(plot_decision_boundary(sides(), x, Y[: len(x)]))


def test_ten_classes_have_ten_looks():
    figure = plot_decision_boundary(
        nn.mlp([2, 10], rng=0), *nn.data.spirals(100, classes=10, rng=0)
    )
    looks = {(line.get_color().tobytes(), line.get_marker()) for line in figure.axes[0].lines}
    assert len(looks) == 10
    look_right(figure)


def test_the_model_runs_in_evaluation_and_stays_as_it_was():
    model = nn.Sequential(nn.BatchNorm(2), nn.Dropout(0.5, rng=0), sides())
    model.forward(X)
    before = model.buffers.copy(), model[1].rng.bit_generator.state, model.cache
    model[1].eval()
    first = plot_decision_boundary(model, X, Y)
    assert before[1] == model[1].rng.bit_generator.state
    assert model.cache is before[2]
    assert [layer.training for layer in model] == [True, False, True]
    for name, array in before[0].items():
        np.testing.assert_array_equal(model.buffers[name], array)
    again = plot_decision_boundary(model, X, Y)
    np.testing.assert_array_equal(background(first)[0], background(again)[0])


@pytest.mark.parametrize(
    ("model", "x", "y", "options", "message"),
    [
        (sides(), np.zeros((4, 3)), Y, {}, r"points \(samples, 2\), received \(4, 3\)"),
        (sides(), np.zeros((0, 2)), [], {}, r"received \(0, 2\)"),
        (sides(), X * np.nan, Y, {}, "finite points"),
        (sides(), X, [0, 1], {}, r"one label for each of 4 points, received \(2,\)"),
        (sides(), X, [0, 1, 2, 0], {}, "labels in 0..1, received 2 at index 2"),
        (sides(), X, Y, {"class_names": ["a"]}, "one class name for each of 2 classes"),
        (nn.Sum(), X, Y, {}, r"scores \(samples, classes\) from the model, received \(\)"),
        (nn.Linear(3, 2), X, Y, {}, r"Linear\(3, 2\) expected"),
        (nn.Log(), -np.abs(X) - 1, Y, {}, "received NaN from the model"),
        ("model", X, Y, {}, "expected a Layer, received str"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in log")
def test_what_has_no_boundary_is_refused(model, x, y, options, message):
    with pytest.raises(ValueError, match=message):
        plot_decision_boundary(model, x, y, **options)


def test_mistakes_are_seen_as_points_on_another_colour():
    colours, left, right, bottom, top = background(plot_decision_boundary(sides(), X, Y))
    column = round((1.0 - left) / (right - left) * (colours.shape[1] - 1))
    row = round((1.0 - bottom) / (top - bottom) * (colours.shape[0] - 1))
    share = (1 - colours[row, column]) / (1 - np.array(to_rgb(COLOURS[1])))  # of class 0, but right
    assert np.ptp(share) < 1e-12
