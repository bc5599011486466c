"""The norm of each layer's gradient over the steps."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_gradient_norms
from tests.picture_checks import look_right


def test_each_layer_is_a_line_on_a_logarithmic_axis_dark_to_light():
    norms = {"0 Linear": [3.0, 2.0, 1.0], "2 Linear": [30.0, 20.0, 10.0], "4 Linear": [5.0] * 3}
    figure = plot_gradient_norms(norms, steps=[0, 10, 25], title="mine")
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    for line, (name, norm) in zip(axes.lines, norms.items(), strict=True):
        assert line.get_label() == name
        assert list(line.get_xdata()) == [0, 10, 25]
        assert list(line.get_ydata()) == norm
    brightness = [sum(line.get_color()[:3]) for line in axes.lines]
    assert brightness == sorted(brightness)
    assert len({line.get_linestyle() for line in axes.lines}) > 1
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("step", "‖dL/dW‖")
    assert [t.get_text() for t in figure.legends[0].get_texts()] == list(norms)
    look_right(figure)


def test_the_diagnosis_of_a_run_is_drawn_as_it_was_recorded():
    data = nn.load_dataset("digits")
    model = nn.mlp([64, 12, 10], rng=0)
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False, diagnose=True
    )
    record = trainer.fit(data.x_train, data.y_train, epochs=1, rng=0).diagnosis
    figure = plot_gradient_norms(record)
    first, second = figure.axes[0].lines
    assert (first.get_label(), second.get_label()) == record.layers
    np.testing.assert_array_equal(first.get_xdata(), record.steps)
    np.testing.assert_array_equal(first.get_ydata(), record.gradient_norm[:, 0])
    np.testing.assert_array_equal(second.get_ydata(), record.gradient_norm[:, 1])
    look_right(figure)


def test_many_records_are_smoothed_by_their_geometric_mean():
    rng = np.random.default_rng(0)
    noisy = 2 * 10 ** rng.normal(scale=0.3, size=600)
    noisy[300] = 0
    (axes,) = plot_gradient_norms({"0 Linear": noisy}).axes
    (smooth,), (band,) = axes.lines, axes.collections
    middle_band = [y for x, y in band.get_paths()[0].vertices if 50 <= x <= 250]
    assert 0.8 < np.log10(max(middle_band) / min(middle_band)) < 1.4  # twice 0.3, and its noise
    middle = np.log10(smooth.get_ydata()[50:300] / 2)
    assert np.abs(middle).max() < 0.25  # a fifth of the noise
    assert abs(np.log10(smooth.get_ydata()[0] / 2)) < 0.4  # the ends do not sink
    assert np.isnan(smooth.get_ydata()[300]) and np.isfinite(smooth.get_ydata()[301])
    flat = plot_gradient_norms({"a": np.full(100, 7.0)}).axes[0].lines[0]
    np.testing.assert_allclose(flat.get_ydata(), 7)


def test_values_without_a_point_are_counted_and_single_points_are_marked():
    figure = plot_gradient_norms({"a": [1, np.nan, 0.5, 0, -1], "b": [2, 2, np.inf, 2, 2]})
    (axes,) = figure.axes
    first, _ = axes.lines
    np.testing.assert_array_equal(first.get_ydata(), [1, np.nan, 0.5, np.nan, np.nan])
    assert first.get_markevery() == [0, 2] and first.get_marker() == "o"
    assert axes.get_title(loc="right") == "values left out: 2 not finite, 2 not positive"
    look_right(figure)


@pytest.mark.parametrize(
    ("norm", "message"), [([0.0, 0.0], "no positive values"), ([np.nan], "no finite values")]
)
def test_a_panel_without_a_point_says_so(norm, message):
    figure = plot_gradient_norms({"a": norm})
    assert [text.get_text() for text in figure.axes[0].texts] == [message]
    look_right(figure)


def test_thirty_layers_have_a_legend_that_fits():
    norms = {f"{2 * i} Linear(100, 100)": [10.0**-i, 10.0**-i] for i in range(30)}
    look_right(plot_gradient_norms(norms))


@pytest.mark.parametrize(
    ("norms", "steps", "message"),
    [
        ({}, None, "for each layer, received the shapes {}"),
        ({"a": []}, None, "at least one"),
        ({"a": [1, 2], "b": [1]}, None, "equally many norms"),
        ({"a": [[1, 2]]}, None, "equally many norms"),
        ({"a": [1, 2]}, [1], r"2 rising steps, one for each record, received \(1,\)"),
        ({"a": [1, 2]}, [3, 3], "do not rise"),
        ([1, 2], None, r"received list; train with Trainer\(..., diagnose=True\)"),
        (None, None, "received NoneType; train with"),
    ],
)
def test_what_is_no_record_is_refused(norms, steps, message):
    with pytest.raises(ValueError, match=message):
        plot_gradient_norms(norms, steps)
