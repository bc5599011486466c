"""Filters of convolutional and weights of linear layers as images."""

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg

import nnscratch as nn
from nnscratch.plots import plot_filters
from tests.picture_checks import images_of, look_right, png, random, shown, texts
from tests.picture_nets import Filters


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
