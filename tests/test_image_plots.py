"""Pictures of filters, maps, gradients and predictions: what they show, what they leave alone."""

import io
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg

import nnscratch as nn
from nnscratch.layers.base import floating
from nnscratch.plots import (
    plot_confusion,
    plot_feature_maps,
    plot_filters,
    plot_predictions,
    plot_saliency,
    saliency,
)
from nnscratch.plots.images import shortened, text_width
from tests.numeric import gradient


class Filters(nn.Layer):
    """Each output channel is the input channels, weighted by W (out, in, 1, 1)."""

    def __init__(self, in_channels, out_channels, rng=0):
        W = np.random.default_rng(rng).normal(size=(out_channels, in_channels, 1, 1))
        self.params = {"W": W.astype(np.float32)}

    def forward_pass(self, x):
        x = floating(x, self.dtype)
        weights = self.params["W"][:, :, 0, 0]
        y = np.einsum("nchw,oc->hown", x, weights)  # batch innermost
        return y.transpose(3, 1, 0, 2), x

    def backward_pass(self, dy, x):
        return np.einsum("nohw,oc->nchw", dy, self.params["W"][:, :, 0, 0])

    def gradient_pass(self, dy, x):
        return {"W": np.einsum("nohw,nchw->oc", dy, x)[..., None, None]}


class Running(nn.Layer):
    """Subtracts a running mean, which training moves."""

    def __init__(self):
        self.buffers = {"mean": np.full(1, 0.5, np.float32)}

    def forward_pass(self, x):
        if self.training:
            self.buffers["mean"] = 0.9 * self.buffers["mean"] + 0.1 * x.mean()
        return x - self.buffers["mean"], None

    def backward_pass(self, dy, cache):
        return dy


def conv_net(channels=1, pixels=36, classes=4):
    return nn.Sequential(
        Filters(channels, 5),
        Running(),
        nn.Sequential(nn.Tanh(), Filters(5, 3, rng=1), nn.ReLU()),
        nn.Dropout(0.5, rng=0),
        nn.Flatten(),
        nn.Linear(3 * pixels, classes, rng=2),
    )


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def png(figure):
    file = io.BytesIO()
    figure.savefig(file)
    data = file.getvalue()
    assert data.startswith(b"\x89PNG")
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def images_of(figure):
    return [axes.images[0] for axes in figure.axes if axes.images]


def shown(figure):
    return [np.asarray(image.get_array()) for image in images_of(figure)]


def texts(figure):
    return [text.get_text() for text in figure.texts]


def look_right(figure):
    """Nothing leaves the picture, no text covers another or an image, and pixels are sharp."""
    width, height = png(figure)
    written = [text for text in figure.texts if text.get_text()]
    for axes in figure.axes:
        written += [text for text in [axes.title, axes._left_title] if text.get_text()]
        ticks = [*axes.get_xticklabels(), *axes.get_yticklabels()]
        written += [text for text in ticks if text.get_visible() and text.get_text()]
        written += [t for t in (axes.xaxis.label, axes.yaxis.label) if t.get_text()]
    hidden = {id(t) for a in figure.axes for t in _of_hidden_axis(a)}
    boxes = [text.get_window_extent() for text in written if id(text) not in hidden]
    for box in boxes:
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
    frames = [axes.get_window_extent() for axes in figure.axes]
    for one, other in combinations(frames, 2):
        assert not _overlap(one, other)
    for box in boxes:
        assert not any(_overlap(box, frame) for frame in frames)
    for one, other in combinations(boxes, 2):
        assert not _overlap(one, other), (one, other)
    for image in images_of(figure):
        frame = image.axes.get_window_extent().extents
        np.testing.assert_allclose(frame, np.round(frame), atol=1e-6)


def _of_hidden_axis(axes):
    return [
        text
        for axis in (axes.xaxis, axes.yaxis)
        if not axis.get_visible()
        for text in [axis.label, *axis.get_ticklabels()]
    ]


def _overlap(a, b):
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1


# Filters --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 3, 8, 16, 40])
def test_every_filter_of_one_channel_is_an_image_on_one_symmetric_scale(count):
    W = random(count, 1, 3, 5) - 0.3
    figure = plot_filters(W)
    np.testing.assert_array_equal(shown(figure), W[:, 0])
    bound = np.abs(W).max()
    assert {image.get_clim() for image in images_of(figure)} == {(-bound, bound)}
    assert {image.get_cmap().name for image in images_of(figure)} == {"RdBu_r"}
    assert {image.get_interpolation() for image in images_of(figure)} == {"nearest"}
    assert len(figure.axes) == count + 1
    assert figure.axes[-1].get_ylabel() == "weight"
    ends = figure.axes[-1].get_yticklabels()
    assert ends[0].get_text() == f"{-bound:.3g}" and ends[-1].get_text() == f"{bound:.3g}"
    assert [t for t in texts(figure) if t.isdigit()] == [str(i) for i in range(count)]
    look_right(figure)


@pytest.mark.parametrize("shape", [(8, 3, 5, 5), (2, 16, 3, 3), (7, 4, 1, 1), (32, 2, 11, 2)])
def test_of_several_channels_each_filter_is_a_line_of_images(shape):
    W = random(*shape) - 0.5
    figure = plot_filters(W, title="mine")
    filters, channels = shape[:2]
    np.testing.assert_array_equal(shown(figure), W.reshape(-1, *shape[2:]))
    frames = [image.axes.get_window_extent() for image in images_of(figure)]
    for f in range(filters):
        line = frames[f * channels : (f + 1) * channels]
        assert len({box.y0 for box in line}) == 1
        assert sorted(box.x0 for box in line) == [box.x0 for box in line]
    assert len({image.get_clim() for image in images_of(figure)}) == 1
    assert figure.get_suptitle() == "mine"
    assert "a column for each channel" in texts(figure)
    look_right(figure)


def test_what_is_left_out_is_said():
    W = random(33, 17, 2, 2) - 0.5
    W[32, 16, 1, 1] = 1000  # what is not shown does not set the scale
    figure = plot_filters(W)
    np.testing.assert_array_equal(shown(figure), W[:32, :16].reshape(-1, 2, 2))
    assert figure.get_suptitle() == "weights: 33 filters of 17 channels, 2×2"
    note = "the first 32 of 33 filters; the first 16 of 17 channels; a column for each channel"
    assert note in texts(figure)
    assert images_of(figure)[0].get_clim()[1] < 1


def test_colour_filters_are_one_image_each_with_grey_for_zero():
    W = np.zeros((2, 3, 4, 4))
    W[0, 0] = 2.0
    W[1, 2] = -2.0
    figure = plot_filters(W, colour=True)
    first, second = shown(figure)
    np.testing.assert_array_equal(first[0, 0], [1, 0.5, 0.5])
    np.testing.assert_array_equal(second[0, 0], [0.5, 0.5, 0])
    assert any("grey is 0" in text for text in texts(figure))
    look_right(figure)


def test_many_colour_filters_are_all_shown():
    figure = plot_filters(random(40, 3, 2, 2), colour=True)
    assert len(images_of(figure)) == 40
    assert "first" not in " ".join(texts(figure))


def test_every_weight_is_a_square_of_its_colour():
    W = np.array([[-2.0, 0.0, 2.0], [1.0, np.nan, -1.0]]).reshape(1, 1, 2, 3)
    figure = plot_filters(W)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    box = images_of(figure)[0].axes.get_window_extent()
    top, left = len(pixels) - round(box.y1), round(box.x0)
    side = round(box.width) // 3
    assert round(box.height) == 2 * side
    expected = colormaps["RdBu_r"]((W[0, 0] + 2) / 4, bytes=True)[..., :3]
    expected[1, 1] = (255, 0, 255)
    for row, column in np.ndindex(2, 3):
        y, x = top + row * side, left + column * side
        square = pixels[y + 1 : y + side - 1, x + 1 : x + side - 1]  # inside the frame
        np.testing.assert_array_equal(square - expected[row, column], 0)


def test_weights_of_a_linear_layer_are_images_of_its_input():
    layer = nn.Linear(3 * 4 * 5, 6, rng=0)
    W = layer.params["W"]
    np.testing.assert_array_equal(
        shown(plot_filters(layer, image_shape=(12, 5))), W.reshape(6, 12, 5)
    )
    figure = plot_filters(layer, image_shape=(3, 4, 5))
    np.testing.assert_array_equal(shown(figure), W.reshape(18, 4, 5))
    assert figure.get_suptitle() == "Linear(60, 6): 6 filters of 3 channels, 4×5"


def test_a_layer_shows_its_weights_whatever_their_memory_order():
    layer = Filters(1, 3)
    np.testing.assert_array_equal(shown(plot_filters(layer)), layer.params["W"][:, 0])
    W = random(2, 3, 4, 5).transpose(3, 1, 0, 2)
    np.testing.assert_array_equal(shown(plot_filters(W)), W.reshape(15, 2, 4))


def test_weights_without_a_colour_are_counted_and_marked():
    W = np.full((2, 1, 2, 2), 0.5)
    W[0, 0, 0] = [np.nan, -np.inf]
    W[1, 0, 1, 1] = 1e200
    figure = plot_filters(W)
    assert "3 of 8 values not finite (magenta)" in texts(figure)
    assert images_of(figure)[0].get_clim() == (-0.5, 0.5)
    assert images_of(figure)[0].get_array().mask.tolist() == [[True, True], [False, False]]
    png(figure)
    assert "not finite" not in " ".join(texts(plot_filters(np.zeros((1, 1, 2, 2)))))


@pytest.mark.parametrize("scale", [0, 1e-320, 1e-60, 1e-5, 1e38])
def test_weights_of_any_size_are_drawn(scale):
    figure = plot_filters(scale * (random(3, 1, 3, 3) - 0.5))
    look_right(figure)


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        (np.zeros((4, 9)), {}, r"received \(4, 9\).*image_shape=\(28, 28\)"),
        (np.zeros((4, 9)), {"image_shape": (2, 4)}, r"of 9 numbers .*received \(2, 4\)"),
        (np.zeros((4, 9)), {"image_shape": (9,)}, r"received \(9,\)"),
        (np.zeros((4, 3, 9)), {}, r"\(out, in, height, width\), received \(4, 3, 9\)"),
        (np.zeros((4, 1, 3, 3)), {"image_shape": (3, 3)}, "is for the weights .* of a Linear"),
        (np.zeros((4, 1, 3, 3)), {"colour": True}, "expected 3 channels for colour=True"),
        (np.zeros((0, 1, 3, 3)), {}, r"at least one weight, received \(0, 1, 3, 3\)"),
        (nn.ReLU(), {}, r"params\['W'\], received ReLU\(\)"),
        (nn.mlp([4, 2]), {}, r"received Sequential; pass .params\['1.W'\]"),
    ],
)
def test_weights_that_are_no_filters_are_refused(weights, options, message):
    with pytest.raises(ValueError, match=message):
        plot_filters(weights, **options)


# Feature maps ---------------------------------------------------------------------------------


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
        with pytest.raises(ValueError, match="expected a Layer, received str"):
            look("model", random(1, 6, 6))


# Saliency -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [None, 1, [3, 0, 2]])
def test_saliency_is_the_central_difference_of_the_targets_score(target):
    model = conv_net(channels=2).astype(np.float64)
    x = np.random.default_rng(0).normal(size=(3, 2, 6, 6))
    found = saliency(model, x, target)
    model.eval()
    classes = model.forward(x).argmax(axis=1) if target is None else np.broadcast_to(target, 3)
    if target is None:
        assert len(set(classes)) > 1
    expected = gradient(lambda: model.forward(x)[np.arange(3), classes].sum(), x)
    assert found.shape == x.shape
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-7)
    assert np.abs(expected).max() > 0.1


def test_saliency_of_one_image_is_that_of_a_batch_of_one():
    model = conv_net(channels=3)
    x = random(3, 6, 6)
    np.testing.assert_array_equal(saliency(model, x), saliency(model, x[np.newaxis])[0])
    np.testing.assert_array_equal(saliency(model, x, 2), saliency(model, x[np.newaxis], [2])[0])


def test_saliency_takes_batches_of_any_axes():
    model = nn.mlp([12, 5, 3], rng=0)
    for shape in [(4, 12), (4, 3, 4), (4, 1, 3, 4), (0, 12), (1, 12)]:
        assert saliency(model, random(*shape)).shape == shape


@pytest.mark.parametrize(
    ("model", "x", "target", "message"),
    [
        (nn.Linear(3, 2), random(4, 3), 2, "targets in 0..1, received 2 at index 0"),
        (nn.Linear(3, 2), random(4, 3), [0, 1, -1, 0], "received -1 at index 2"),
        (nn.Linear(3, 2), random(4, 3), [0, 1], r"one for each of 4 samples, received \(2,\)"),
        (nn.Linear(3, 2), random(4, 3), 0.5, "targets to be integers, received float64"),
        (nn.Linear(3, 2), random(3), None, r"\(batch, classes\), received \(2,\)"),
        (nn.Identity(), random(2, 1, 3, 3), None, r"received \(2, 1, 3, 3\)"),
        (nn.Linear(3, 2), np.full((2, 3), np.nan), None, "NaN from the model, first in sample 0"),
        (nn.Linear(3, 2), [[0, 0, 0], [0, np.nan, 0]], None, "first in sample 1"),
        (nn.Linear(3, 2), random(4, 5), None, r"Linear\(3, 2\) expected .* received \(4, 5\)"),
    ],
)
def test_what_has_no_score_is_refused(model, x, target, message):
    with pytest.raises(ValueError, match=message):
        saliency(model, x, target)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_each_image_stands_beside_its_gradient_and_the_two_overlaid(channels):
    model, x = conv_net(channels), random(4, channels, 6, 6)
    figure = plot_saliency(model, x)
    panels = shown(figure)
    assert len(panels) == len(figure.axes) == 12
    strength = np.abs(saliency(model, x)).max(axis=1)
    for i in range(4):
        image, share, overlaid = panels[3 * i : 3 * i + 3]
        bare = {1: x[i, 0], 2: x[i].mean(axis=0), 3: x[i].transpose(1, 2, 0)}[channels]
        np.testing.assert_allclose(image, bare, rtol=1e-6)
        np.testing.assert_allclose(share, strength[i] / strength[i].max(), rtol=1e-6)
        weight = share[..., None]
        colours = image if channels == 3 else np.stack([image] * 3, axis=-1)
        expected = (1 - weight) * colours + weight * [0.84, 0.37, 0]
        np.testing.assert_allclose(overlaid, expected, rtol=1e-6)
    look_right(figure)


def test_titles_tell_predicted_and_true_class():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3, bias=False))
    model[1].params["W"] = np.eye(3, 4)
    x = np.eye(4)[:3].reshape(3, 1, 2, 2)
    names = ["cat", "dog", "a cow with a name that is far too long to stand in a single line"]

    def titles(figure):
        return [axes.get_title(loc="left") for axes in figure.axes[::3]]

    assert titles(plot_saliency(model, x)) == ["predicted: 0", "predicted: 1", "predicted: 2"]
    figure = plot_saliency(model, x, [0, 0, 1], names)
    first, second, third = titles(figure)
    assert (first, second) == ("✓ cat", "✗ dog, true: cat")
    assert third.startswith("✗ a cow") and "…" in third and third.endswith("\ntrue: dog")
    look_right(figure)
    assert titles(plot_saliency(model, x[0], 1)) == ["✗ 0, true: 1"]


def test_a_dead_gradient_is_black_and_further_images_are_said():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    model[1].params["W"] *= 0
    figure = plot_saliency(model, random(30, 1, 2, 2), np.zeros(30, int))
    assert len(figure.axes) == 3 * 24
    assert any(text.startswith("the first 24 of 30 images; ") for text in texts(figure))
    assert all((share == 0).all() for share in shown(figure)[1::3])
    look_right(figure)


@pytest.mark.parametrize(
    ("labels", "names", "message"),
    [
        ([0], None, r"one label for each of 2 images, received \(1,\)"),
        ([0, 4], None, "labels in 0..3, received 4 at index 1"),
        ([0, 1], ["a", "b"], "one class name for each of 4 classes"),
        ([0, 1], "abcd", "one class name for each of 4 classes"),
    ],
)
def test_labels_and_names_that_do_not_fit_are_refused(labels, names, message):
    with pytest.raises(ValueError, match=message):
        plot_saliency(conv_net(), random(2, 1, 6, 6), labels, names)


# Confusion ------------------------------------------------------------------------------------


def drawn_confusion(classes, samples=500, names=None, **options):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, samples)
    scores = rng.normal(size=(samples, classes)) + 2 * np.eye(classes)[labels]
    counts = nn.metrics.confusion_matrix(scores, labels)
    return counts, plot_confusion(scores, labels, names, **options)


@pytest.mark.parametrize("classes", [1, 2, 10, 30])
def test_cells_hold_the_counts_and_colours_the_share_of_the_row(classes):
    counts, figure = drawn_confusion(classes)
    axes = figure.axes[0]
    share = counts / counts.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(shown(figure)[0], share)
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    places = np.argwhere(counts)
    assert cells == {(j, i): str(counts[i, j]) for i, j in places.tolist()}
    assert images_of(figure)[0].norm(0.01) == pytest.approx(0.1)  # 1 percent is seen
    right = np.trace(counts)
    assert figure.get_suptitle() == f"accuracy {right / 500:.4f}: {right} of 500 right"
    recalls = [text for text in texts(figure) if text[:2] in ("0.", "1.")]
    assert recalls == [f"{share[k, k]:.2f}" for k in range(classes)]
    assert {"true class", "predicted class"} <= set(texts(figure))
    assert figure.axes[1].get_ylabel() == "share of the true class"
    look_right(figure)


def test_rows_are_true_and_columns_predicted():
    figure = plot_confusion([2, 2, 0], [1, 1, 0], ["a", "b", "c"])
    np.testing.assert_array_equal(shown(figure)[0], [[1, 0, 0], [0, 0, 1], [0, 0, 0]])
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["a", "b", "c"]
    assert axes.get_ylim() == (2.5, -0.5)  # the first row on top
    place = {t.get_text(): t.get_position() for t in figure.texts}
    assert place["true class"][0] < axes.get_position().x0
    assert place["predicted class"][1] < axes.get_position().y0
    assert texts(figure).count("–") == 1  # no c, no recall


def test_long_names_are_shortened_and_many_classes_have_no_numbers():
    names = [f"a class whose name goes on and on, number {k}" for k in range(100)]
    _, figure = drawn_confusion(100, 3000, names, title="mine")
    axes = figure.axes[0]
    assert not axes.texts
    labels = [t.get_text() for t in axes.get_xticklabels()]
    assert len(set(labels)) == 100 and all("…" in label for label in labels)
    assert figure.get_suptitle() == "mine"
    assert any(text.startswith("accuracy 0.") for text in texts(figure))
    look_right(figure)


def test_classes_by_the_hundred_fit_on_the_sheet():
    _, figure = drawn_confusion(300, 1000)
    assert max(png(figure)) < 1600
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()][:3] == ["0", "3", "6"]
    look_right(figure)


def test_counts_of_many_digits_have_room():
    labels = np.repeat(np.arange(12), 123456)
    look_right(plot_confusion(labels, labels))


@pytest.mark.parametrize(
    ("prediction", "labels", "names", "message"),
    [
        ([0, 1], [0, 2], ["a", "b"], "labels in 0..1, received 2 at index 1"),
        (np.zeros((2, 3)), [0, 1], ["a", "b"], "one class name for each of 3 classes"),
        ([0, 1], [0, 1], [], "one class name for each"),
        ([0, 1, 1], [0, 1], None, r"received \(3,\) and \(2,\)"),
        (np.zeros((0, 3)), np.zeros(0, int), None, "no sample"),
        (np.array([], int), np.array([], int), None, "no sample"),
    ],
)
def test_what_cannot_be_confused_is_refused(prediction, labels, names, message):
    with pytest.raises(ValueError, match=message):
        plot_confusion(prediction, labels, names)


# Predictions ----------------------------------------------------------------------------------

LOGITS = np.array([[4.0, 0], [0, 1], [3, 0], [0, 5], [0, 2]])
LABELS = [0, 0, 1, 0, 1]  # wrong: 1, 2, 3
ORDER = [3, 2, 1, 4, 0]


def order_of(figure, images):
    return [int(np.argmax([np.array_equal(s, x[0]) for x in images])) for s in shown(figure)]


def softmax(scores):
    e = np.exp(scores)
    return e / e.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    "prediction", [LOGITS, softmax(LOGITS), np.log(softmax(LOGITS)), LOGITS.astype(int)]
)
def test_the_most_confident_mistakes_come_first(prediction):
    images = random(5, 1, 4, 4)
    figure = plot_predictions(images, prediction, LABELS, ["cat", "dog"])
    assert order_of(figure, images) == ORDER
    assert [axes.get_title() for axes in figure.axes] == [
        "✗ dog, 99%\ntrue: cat",
        "✗ cat, 95%\ntrue: dog",
        "✗ dog, 73%\ntrue: cat",
        "✓ dog, 88%",
        "✓ cat, 98%",
    ]
    assert "5 of 5 shown, 3 wrong" in texts(figure)
    look_right(figure)


def test_right_and_wrong_differ_in_sign_frame_and_colour():
    figure = plot_predictions(random(5, 1, 4, 4), LOGITS, LABELS)
    looks = {
        (axes.get_title()[0], axes.spines["left"].get_linewidth() > 1, axes.title.get_color())
        for axes in figure.axes
    }
    assert looks == {("✗", True, "#D55E00"), ("✓", False, "black")}


def test_predicted_labels_keep_their_order_behind_the_mistakes():
    images = random(5, 1, 4, 4)
    figure = plot_predictions(images, LOGITS.argmax(axis=1), LABELS)
    assert order_of(figure, images) == [1, 2, 3, 0, 4]
    assert figure.axes[0].get_title() == "✗ 1\ntrue: 0"
    assert figure.axes[-1].get_title() == "✓ 1"


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (4, 300, 200)])
@pytest.mark.parametrize("count", [1, 25])
def test_count_bounds_the_images_and_long_names_are_shortened(shape, count):
    names = [f"a class whose name goes on and on, number {k}" for k in range(3)]
    labels = np.arange(30) % 3
    figure = plot_predictions(random(30, *shape), labels[::-1], labels, names, count=count)
    assert len(figure.axes) == count
    assert "…" in figure.axes[0].get_title() and "mber 2" in figure.axes[0].get_title()
    assert f"{count} of 30 shown, 20 wrong" in texts(figure)
    assert max(png(figure)) < 1300
    look_right(figure)


@pytest.mark.parametrize(
    ("images", "limits"),
    [
        (np.array([0, 51], np.uint8), (0, 255)),
        (np.array([0.1, 0.2]), (0, 1)),
        (np.array([-2.0, 3.0]), (-2, 3)),
        (np.array([0, 16]), (0, 16)),
        (np.array([7.0, 7.0]), (3.5, 10.5)),
        (np.array([np.nan, 0.5]), (0, 1)),
        (np.array([np.inf, -np.nan]), (0, 1)),
    ],
)
def test_black_and_white_are_common_to_all_images(images, limits):
    images = np.repeat(images, 4).reshape(2, 1, 2, 2)
    figure = plot_predictions(images, [0, 1], [0, 0])
    assert {image.get_clim() for image in images_of(figure)} == {limits}
    png(figure)
    colour = plot_predictions(np.repeat(images, 3, axis=1), [0, 1], [0, 0])
    for array in shown(colour):
        assert array.shape == (2, 2, 3) and 0 <= array.min() <= array.max() <= 1
    png(colour)


def test_text_is_shown_as_it_is_written():
    figure = plot_predictions(random(1, 1, 2, 2), [1], [0], ["$x_1$ $", "$\\frac$"], title="5 $ $_")
    png(figure)
    assert figure.axes[0].get_title() == "✗ $\\frac$\ntrue: $x_1$ $"


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (random(4, 1, 2, 2), {}, "one prediction for each of 4 images, received 5"),
        (random(5, 2, 2), {}, "one prediction for each of 1 images, received 5"),
        (random(5, 4), {}, r"expected images .*received \(5, 4\)"),
        (random(5, 1, 2, 2), {"count": 0}, "a count of at least 1, received 0"),
        (random(5, 1, 2, 2), {"class_names": ["a"]}, "one class name for each of 2 classes"),
        (random(5, 1, 2, 2), {"labels": [0, 1, 2, 0, 0]}, "in 0..1, received 2 at index 2"),
        (random(5, 1, 2, 2), {"labels": [0.0] * 5}, "labels to be integers"),
        (random(5, 1, 2, 2), {"labels": [0, 1]}, r"received \(5, 2\) and \(2,\)"),
        (random(5, 1, 2, 2), {"prediction": LOGITS * np.nan}, "NaN, first in sample 0"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(images, options, message):
    with pytest.raises(ValueError, match=message):
        plot_predictions(images, **{"prediction": LOGITS, "labels": LABELS, **options})


# All of them ----------------------------------------------------------------------------------


def test_a_shortened_text_keeps_both_ends_and_has_room():
    for width in (40, 80, 150):
        text = shortened("a class whose name goes on, number 17", width, 8.0)
        assert text_width(text, 8.0) <= width
        assert text[0] == "a" and text[-1] == "7" and "…" in text
    assert shortened("short", 150, 8.0) == "short"


def test_arguments_are_left_as_they_were():
    model, x, labels = conv_net(), random(3, 1, 6, 6), np.array([0, 1, 2])
    x.flags.writeable = labels.flags.writeable = False
    y = model.forward(x)
    y.flags.writeable = False
    for figure in (
        plot_feature_maps(model, x[:1], 0),
        plot_saliency(model, x, labels),
        plot_predictions(x, y, labels),
        plot_confusion(y, labels),
    ):
        png(figure)


def test_neither_pyplot_nor_matplotlib_is_imported_too_early():
    code = """
import io, sys
import numpy as np
import nnscratch as nn
nn.plots.saliency(nn.Linear(3, 2), np.ones((1, 3)))
assert "matplotlib" not in sys.modules
x = np.ones((2, 1, 4, 4))
for figure in (
    nn.plots.plot_filters(x),
    nn.plots.plot_feature_maps(nn.Identity(), x[0], ""),
    nn.plots.plot_saliency(nn.mlp([16, 2]), x),
    nn.plots.plot_confusion([0, 1], [0, 0]),
    nn.plots.plot_predictions(x, [0, 1], [0, 0]),
):
    figure.savefig(io.BytesIO())
assert "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
