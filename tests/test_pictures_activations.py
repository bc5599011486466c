"""Activation functions beside their derivatives."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_activations
from tests.picture_checks import look_right


def lines(axes):
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}


def test_each_panel_is_the_function_and_its_slope():
    layers = [nn.Sigmoid(), nn.Tanh(), nn.GELU(), nn.Softplus(), nn.Sin()]
    figure = plot_activations(*layers, reach=3)
    assert [axes.get_title() for axes in figure.axes] == [str(layer) for layer in layers]
    for axes, layer in zip(figure.axes, layers, strict=True):
        x, y = lines(axes)["g(x)"].get_data()
        assert (x[0], x[-1]) == (-3, 3)
        np.testing.assert_allclose(y, layer.forward(x), rtol=1e-12)
        slope = lines(axes)["g′(x)"].get_ydata()
        np.testing.assert_allclose(slope, np.gradient(y, x), atol=0.01)
    look_right(figure)


def test_where_the_derivative_jumps_the_line_is_broken_and_a_dot_is_its_value_at_0():
    relu, leaky = plot_activations(nn.ReLU(), nn.LeakyReLU(0.1)).axes
    for axes, below in ((relu, 0.0), (leaky, 0.1)):
        x, slope = lines(axes)["g′(x)"].get_data()
        (gap,) = np.flatnonzero(np.isnan(slope))
        assert 0 < x[gap] < 0.02
        assert set(slope[:gap]) == {below} and set(slope[gap + 1 :]) == {1.0}
        (dot,) = [line for line in axes.lines if line.get_marker() == "o"]
        assert [*dot.get_xdata(), *dot.get_ydata()] == [0, below]


def test_a_smooth_derivative_has_no_gap_and_no_dot():
    for axes in plot_activations(nn.ELU(1.0), nn.Identity(), nn.Tanh(), reach=50).axes:
        assert np.isfinite(lines(axes)["g′(x)"].get_ydata()).all()
        assert not [line for line in axes.lines if line.get_marker() == "o"]


def test_without_layers_the_usual_eight_are_drawn():
    figure = plot_activations()
    titles = [axes.get_title() for axes in figure.axes]
    assert titles[:4] == ["Sigmoid()", "Tanh()", "ReLU()", "LeakyReLU(0.1)"] and len(titles) == 8
    look_right(figure)


@pytest.mark.parametrize("count", [1, 3, 5, 9])
def test_any_number_of_panels_looks_right(count):
    figure = plot_activations(*[nn.Tanh() for _ in range(count)])
    assert len(figure.axes) == count
    look_right(figure)


def test_a_layer_of_ones_own_is_drawn_and_left_as_it_was():
    class Cube(nn.Layer):
        def forward_pass(self, x):
            return x**3, x

        def backward_pass(self, dy, x):
            return 3 * x**2 * dy

    layer = Cube()
    (axes,) = plot_activations(layer, reach=2).axes
    x, slope = lines(axes)["g′(x)"].get_data()
    np.testing.assert_allclose(slope, 3 * x**2)
    assert layer.cache is None


@pytest.mark.parametrize(
    ("layers", "options", "message"),
    [
        ([nn.ReLU], {}, r"layers such as nn.Tanh\(\), received ReLU"),
        (["relu"], {}, "received str"),
        ([nn.Sum()], {}, r"expected Sum\(\) to map each number"),
        ([nn.ReLU()], {"reach": 0}, "a positive reach, received 0"),
        ([nn.ReLU()], {"reach": float("nan")}, "a positive reach, received nan"),
    ],
)
def test_what_has_no_curve_is_refused(layers, options, message):
    with pytest.raises(ValueError, match=message):
        plot_activations(*layers, **options)
