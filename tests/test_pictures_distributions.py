"""Histograms of the outputs of layers and of the loss's gradients by them."""

import copy

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_distributions
from tests.picture_checks import look_right

rng = np.random.default_rng(0)
X, Y = rng.normal(size=(40, 6)), rng.integers(0, 3, 40)
LOSS = nn.SoftmaxCrossEntropy()


def model(activation=nn.ReLU):
    return nn.mlp([6, 9, 7, 3], activation=activation, rng=0).astype(np.float64)


def bars(axes):
    (stairs,) = axes.patches
    values, edges, _ = stairs.get_data()
    return values, edges


def counted(array, edges):
    array = array.ravel()
    counts, _ = np.histogram(array[array != 0], edges)
    return counts / counts.max()


def test_the_left_histograms_are_those_of_the_outputs():
    net = model()
    figure = plot_distributions(net, LOSS, X, Y)
    left = figure.axes[::2]
    assert [axes.get_ylabel() for axes in left] == [
        "1 Linear(6, 9)",
        "2 ReLU()",
        "3 Linear(9, 7)",
        "4 ReLU()",
        "5 Linear(7, 3)",
    ]
    for axes, layers in zip(left, (2, 3, 4, 5, 6), strict=True):
        heights, edges = bars(axes)
        np.testing.assert_array_equal(heights, counted(net[:layers].forward(X), edges))
    assert len({tuple(bars(axes)[1]) for axes in left}) == 1
    look_right(figure)


def test_the_right_histograms_are_those_of_the_gradients_by_the_outputs():
    net = model(nn.Tanh)
    figure = plot_distributions(net, LOSS, X, Y)
    for axes, cut in zip(figure.axes[1::2], (2, 3, 4, 5, 6), strict=True):
        rest = net[cut:]
        LOSS.forward(rest.forward(net[:cut].forward(X)), Y)
        gradient = rest.backward(LOSS.backward())[0] if len(rest) else LOSS.backward()
        heights, edges = bars(axes)
        np.testing.assert_array_equal(heights, counted(np.abs(gradient), edges))
        assert axes.get_xscale() == "log"
        np.testing.assert_allclose(np.diff(np.log(edges)), np.log(edges[1] / edges[0]), rtol=1e-6)


def test_zeros_are_counted_and_not_drawn():
    net = nn.Sequential(nn.ReLU())
    x = np.array([[-1.0, -2.0, 3.0], [-1.0, 5.0, -2.0]])
    left, right = plot_distributions(net, nn.MSELoss(), x, np.zeros((2, 3))).axes
    heights, _ = bars(left)
    assert heights.sum() == 2  # 3 and 5
    assert [text.get_text() for text in left.texts] == ["67% are 0"]
    assert [text.get_text() for text in right.texts] == ["67% are 0"]


def test_vanishing_gradients_move_to_the_left():
    net = nn.mlp([6, *[20] * 5, 3], activation=nn.Sigmoid, rng=0)
    figure = plot_distributions(net, LOSS, X, Y)
    middles = [
        np.average(np.log10(edges[1:]), weights=heights)
        for heights, edges in map(bars, figure.axes[1::2])
    ]
    assert middles[0] < middles[-1] - 2
    look_right(figure)


def test_what_only_reshapes_is_left_out_and_containers_are_one_line():
    net = nn.Sequential(
        nn.Reshape((-1, 2, 3)),
        nn.Flatten(),
        nn.Residual(nn.Sequential(nn.Linear(6, 6, rng=0), nn.Tanh())),
        nn.Dropout(0.0),
        nn.Linear(6, 3, rng=0),
    )
    left = plot_distributions(net, LOSS, X, Y).axes[::2]
    assert [axes.get_ylabel() for axes in left] == ["2 Residual", "4 Linear(6, 3)"]


def test_the_model_stays_as_it_was_and_runs_in_its_mode():
    net = nn.Sequential(nn.BatchNorm(6), nn.Dropout(0.5, rng=0), nn.Linear(6, 3, rng=0))
    twin = copy.deepcopy(net)
    cache = net.cache
    training = plot_distributions(net, LOSS, 3 * X, Y)
    assert net.cache is cache and all(layer.training for layer in net)
    state = net[1].rng.bit_generator.state
    assert state == twin[1].rng.bit_generator.state
    for name, array in twin.buffers.items():
        np.testing.assert_array_equal(net.buffers[name], array)
    assert len(training.axes) == 6
    evaluation = plot_distributions(net.eval(), LOSS, 3 * X, Y)
    assert len(evaluation.axes) == 4  # Dropout changes nothing then


@pytest.mark.parametrize("layers", [1, 12, 31])
def test_any_depth_looks_right(layers):
    net = nn.Sequential(*[nn.Linear(3, 3, rng=i) for i in range(layers)])
    figure = plot_distributions(net, LOSS, X[:, :3], Y, title="mine")
    names = [axes.get_ylabel() for axes in figure.axes[::2]]
    assert names[0] == "0 Linear(3, 3)" and names[-1] == f"{layers - 1} Linear(3, 3)"
    assert figure.get_suptitle() == ("mine (30 of 31 layers)" if layers == 31 else "mine")
    look_right(figure)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e20, np.nan, np.inf])
@pytest.mark.filterwarnings("ignore:.*(invalid value|overflow)")
def test_numbers_of_any_size_are_drawn(scale):
    net = nn.Sequential(nn.Linear(6, 4, rng=0), nn.ReLU(), nn.Linear(4, 3, rng=0)).astype(float)
    net.params["0.W"] = scale * net.params["0.W"]
    figure = plot_distributions(net, nn.L1Loss(), X, np.zeros((40, 3)))
    look_right(figure)
    if not np.isfinite(scale):
        assert "100.0% not finite" in figure.axes[0].texts[0].get_text()


def test_the_nodes_of_a_graph_are_drawn_too():
    x, first = nn.Input("x"), nn.Linear(6, 3, rng=0).astype(np.float64)
    bent = nn.Tanh()(first(x, name="first"), name="bent")
    graph = nn.Graph([x], bent + 2 * np.ones(3))
    figure = plot_distributions(graph, LOSS, X, Y)
    names = [axes.get_ylabel() for axes in figure.axes[::2]]
    assert names == ["first Linear(6, 3)", "bent Tanh()", "add1 Add()"]
    LOSS.forward(graph.forward(X), Y)
    graph.backward(LOSS.backward())
    for axes, name in zip(figure.axes[1::2], ("first", "bent", "add1"), strict=True):
        heights, edges = bars(axes)
        expected = counted(np.abs(graph.node_grads[name]), edges)
        np.testing.assert_array_equal(heights, expected)
    look_right(figure)


def test_of_a_layer_of_ones_own_the_layers_inside_are_drawn():
    class Own(nn.Layer):
        def __init__(self):
            self.first, self.last = nn.Linear(6, 5, rng=0), nn.Linear(5, 3, rng=1)

        def forward_pass(self, x):
            h, first = self.first.forward_pass(x)
            y, last = self.last.forward_pass(h)
            return y, (first, last)

        def backward_pass(self, dy, caches):
            dh, _ = self.last.backprop(dy, caches[1])
            return self.first.backprop(dh, caches[0])[0]

        def gradient_pass(self, dy, caches):
            dh, last = self.last.backprop(dy, caches[1])
            _, first = self.first.backprop(dh, caches[0])
            return {f"first.{k}": g for k, g in first.items()} | {
                f"last.{k}": g for k, g in last.items()
            }

    figure = plot_distributions(Own(), LOSS, X, Y)
    assert [axes.get_ylabel() for axes in figure.axes[::2]] == [
        "first Linear(6, 5)",
        "last Linear(5, 3)",
    ]
    look_right(figure)


def test_a_layer_alone_is_one_line():
    figure = plot_distributions(nn.Linear(6, 3, rng=0), LOSS, X, Y)
    assert [axes.get_ylabel() for axes in figure.axes] == ["Linear(6, 3)", ""]


def test_a_layer_that_no_gradient_reaches_has_zeros():
    class Stop(nn.Identity):
        def backward_pass(self, dy, cache):
            return None

    x = nn.Input("x")
    graph = nn.Graph([x], nn.Tanh()(Stop()(nn.Sin()(x))))
    figure = plot_distributions(graph, nn.MSELoss(), X, X)
    assert [text.get_text() for text in figure.axes[1].texts] == ["100% are 0"]


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ("net", "expected a Layer, received str"),
        (nn.Sequential(nn.Flatten()), "a layer that computes something"),
    ],
)
def test_what_has_no_layers_to_draw_is_refused(net, message):
    with pytest.raises(ValueError, match=message):
        plot_distributions(net, LOSS, X, Y)
