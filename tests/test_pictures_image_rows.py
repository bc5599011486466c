"""Rows of the same images after several treatments."""

import numpy as np
import pytest

from nnscratch.plots import plot_image_rows
from tests.picture_checks import images_of, look_right, random, shown, texts


@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (2, 5, 9), (3, 32, 32), (1, 200, 150)])
def test_each_row_shows_its_images_below_those_of_the_row_before(shape):
    first, second = random(4, *shape), random(4, *shape, seed=1)
    figure = plot_image_rows({"before": first, "after": second}, title="mine")
    panels = shown(figure)
    assert len(panels) == len(figure.axes) == 8
    for panel, image in zip(panels, [*first, *second], strict=True):
        expected = {1: image[0], 2: image.mean(axis=0), 3: image.transpose(1, 2, 0)}[shape[0]]
        np.testing.assert_allclose(panel, expected, rtol=1e-6)
    frames = [image.axes.get_window_extent() for image in images_of(figure)]
    for above, below in zip(frames[:4], frames[4:], strict=True):
        assert above.x0 == below.x0 and above.y0 > below.y1
    assert {"before", "after"} <= set(texts(figure))
    look_right(figure)


def test_black_and_white_are_those_of_the_first_row():
    x = random(2, 1, 4, 4)
    figure = plot_image_rows({"image": x, "brighter": 3 * x})
    assert {image.get_clim() for image in images_of(figure)} == {(0, 1)}
    assert {image.get_clim() for image in images_of(plot_image_rows({"a": 3 * x}))} != {(0, 1)}


def test_what_has_no_room_is_left_out_and_said():
    x = random(30, 1, 8, 8)
    figure = plot_image_rows({"a name that goes on and on and on, without an end": x, "b": x})
    count = len(figure.axes) // 2
    assert 5 < count < 24
    assert f"the first {count} of 30 images" in texts(figure)
    assert any("…" in text for text in texts(figure))
    look_right(figure)
    assert "first" not in " ".join(texts(plot_image_rows({"a": x[:3]})))


def test_values_without_a_colour_are_counted():
    x = random(2, 1, 4, 4)
    x[1, 0, 0, 0] = np.nan
    assert "1 of 32 values not finite (magenta)" in texts(plot_image_rows({"a": x}))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({}, "received none; pass a mapping"),
        ({"a": random(2, 1, 4, 4), "b": random(3, 1, 4, 4)}, r"one shape, received .*'b': \(3, 1"),
        ({"a": random(2, 16)}, r"expected images .*received \(2, 16\)"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        plot_image_rows(rows)
