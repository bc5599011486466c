"""Images with what was predicted, mistakes first."""

import numpy as np
import pytest

from nnscratch.plots import plot_predictions
from tests.picture_checks import images_of, look_right, png, random, shown, texts

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
