"""What a layer inside a model makes of an image, beside the image."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_feature_maps, plot_saliency, saliency
from tests.picture_checks import images_of, look_right, random, shown, texts
from tests.picture_nets import Filters, conv_net


@pytest.mark.parametrize(
    ("layer", "path", "colours"),
    [(0, "0", "RdBu_r"), ("2.2", "2.2", "viridis"), (2, "2", "viridis"), (-4, "2", "viridis")],
)
def test_the_maps_are_the_output_of_the_layer_beside_the_input(layer, path, colours):
    model, image = conv_net(pixels=42), random(1, 6, 7).astype(np.float32)
    figure = plot_feature_maps(model, image, layer=layer)
    first, *maps = images_of(figure)
    np.testing.assert_array_equal(first.get_array(), image[0])
    model.eval()
    expected = model[:1].forward(image[None])
    if path != "0":
        expected = model[:3].forward(image[None])
    np.testing.assert_array_equal([m.get_array() for m in maps], expected[0])
    bound = np.abs(expected).max()
    assert {m.get_clim() for m in maps} == {(-bound if colours == "RdBu_r" else 0, bound)}
    assert {m.get_cmap().name for m in maps} == {colours}
    assert figure.get_suptitle().startswith(f"layer {path}, ")
    assert {"input", "0", str(len(maps) - 1)} <= set(texts(figure))
    look_right(figure)


def test_one_image_may_have_a_batch_axis_and_any_memory_order():
    model, image = conv_net(3, 16), random(4, 3, 4, 1).transpose(3, 1, 0, 2)
    a, b = (shown(plot_feature_maps(model, x, 0)) for x in (image, image[0]))
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(a[0], image[0].transpose(1, 2, 0))  # in colour


@pytest.mark.parametrize("path", ["0", "2.0.1"])
def test_of_a_layer_used_twice_the_path_says_which_use(path):
    shared = Filters(3, 3)
    inner = nn.Residual(nn.Sequential(nn.Tanh(), shared))
    model, image = nn.Sequential(shared, nn.ReLU(), inner), random(3, 4, 4)
    maps = shown(plot_feature_maps(model, image, layer=path))[1:]
    y = model[:1].forward(image[None])
    if path == "2.0.1":
        y = shared.forward(np.tanh(np.maximum(y, 0)))
    np.testing.assert_array_equal(maps, y[0])


def test_layers_of_a_graph_are_found_too():
    x = nn.Input("x")
    graph = nn.Graph([x], nn.Tanh()(Filters(1, 2)(x)) * 2.0)
    image = random(1, 3, 3)
    maps = shown(plot_feature_maps(graph, image, layer=1))[1:]
    np.testing.assert_allclose(2 * np.array(maps), graph.forward(image[None])[0], rtol=1e-6)


def test_layers_that_a_layer_of_ones_own_holds_are_found_too():
    class Own(nn.Layer):
        def __init__(self):
            self.filters, self.bend = Filters(1, 2), nn.Tanh()

        def forward_pass(self, x):
            y, first = self.filters.forward_pass(x)
            return self.bend.forward_pass(y)[0], first

    image, model = random(1, 3, 3), nn.Sequential(Own())
    maps = shown(plot_feature_maps(model, image, layer="0.filters"))[1:]
    np.testing.assert_array_equal(maps, model[0].filters.forward(image[None])[0])


def test_a_layer_that_runs_several_times_for_one_image_is_refused():
    class Twice(nn.Layer):
        def __init__(self):
            self.layers = (nn.Tanh(),)

        def forward_pass(self, x):
            first, _ = self.layers[0].forward_pass(x)
            return self.layers[0].forward_pass(first)

    message = (
        r"expected Tanh\(\) to run once for one image, it ran 2 times; choose the layer around"
    )
    with pytest.raises(ValueError, match=message):
        plot_feature_maps(Twice(), random(1, 3, 3), layer="0")


@pytest.mark.parametrize("look", [lambda m, x: plot_feature_maps(m, x, 2), saliency, plot_saliency])
def test_looking_leaves_modes_caches_statistics_and_generators_as_they_were(look):
    model, x = conv_net(), random(1, 1, 6, 6).astype(np.float32)
    model[2].eval()
    y = model.forward(x)
    dx, _ = model.backward(np.ones_like(y))
    modes = [layer.training for _, layer in model.walk()]
    caches = [layer.cache for _, layer in model.walk()]
    state = model[3].rng.bit_generator.state
    buffers, params = model.buffers.copy(), model.params.copy()
    attributes = [set(vars(layer)) - {"training"} for _, layer in model.walk()]

    look(model, random(1, 1, 6, 6, seed=1))
    assert [layer.training for _, layer in model.walk()] == modes
    assert set(modes) == {True, False}
    kept = [layer.cache for _, layer in model.walk()]
    assert all(a is b for a, b in zip(kept, caches, strict=True))
    assert model[3].rng.bit_generator.state == state
    assert [set(vars(layer)) - {"training"} for _, layer in model.walk()] == attributes
    for before, after in ((buffers, model.buffers), (params, model.params)):
        for name, array in before.items():
            np.testing.assert_array_equal(after[name], array)
    again, _ = model.backward(np.ones_like(y))
    np.testing.assert_array_equal(again, dx)


def test_an_error_inside_the_model_leaves_it_as_it_was():
    model = conv_net(channels=2)
    attributes = [set(vars(layer)) - {"training"} for _, layer in model.walk()]
    for look in (lambda x: plot_feature_maps(model, x, 2), lambda x: saliency(model, x)):
        with pytest.raises(ValueError):
            look(random(1, 3, 6, 6))
    assert [set(vars(layer)) - {"training"} for _, layer in model.walk()] == attributes
    assert all(layer.training for _, layer in model.walk())


def test_maps_left_out_are_said():
    figure = plot_feature_maps(Filters(1, 130), random(1, 5, 5), layer="")
    assert len(images_of(figure)) == 1 + 128
    assert "the first 128 of 130 maps" in texts(figure)
    assert "130 maps, 5×5" in figure.get_suptitle()


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_inputs_of_any_channels_are_drawn(channels):
    image = random(channels, 4, 4)
    figure = plot_feature_maps(Filters(channels, 1), image, "")
    look_right(figure)
    if channels in (2, 5):
        assert f"input: mean of {channels} channels" in texts(figure)
        np.testing.assert_allclose(shown(figure)[0], image.mean(axis=0), rtol=1e-6)
    assert "1 map," in figure.get_suptitle()


@pytest.mark.parametrize(
    ("layer", "x", "message"),
    [
        (
            6,
            random(1, 6, 6),
            r"received 6; there are '0' Filters, '1' Running, '2' Seq.*'2.0' Tanh",
        ),
        (-7, random(1, 6, 6), "received -7"),
        ("2.3", random(1, 6, 6), "received '2.3'"),
        (5, random(1, 6, 6), r"of layer 5, Linear\(108, 4\), received \(1, 4\).*flattened"),
        (0, random(2, 1, 6, 6), r"one image, received 2; pass x\[:1\]"),
        (0, random(6, 6), r"received \(6, 6\)"),
        (0, random(1, 0, 6), r"received \(1, 1, 0, 6\)"),
    ],
)
def test_what_has_no_maps_is_refused(layer, x, message):
    with pytest.raises(ValueError, match=message):
        plot_feature_maps(conv_net(), x, layer)


def test_a_model_must_be_a_layer():
    for look in (plot_feature_maps, saliency, plot_saliency):
        with pytest.raises(ValueError, match=r"expected a (Layer|model), received"):
            look("model", random(1, 6, 6))
