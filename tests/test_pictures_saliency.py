"""The gradient of a class's score by the pixels, and its picture."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_saliency, saliency
from tests.numeric import gradient
from tests.picture_checks import look_right, random, shown, texts
from tests.picture_nets import conv_net


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
