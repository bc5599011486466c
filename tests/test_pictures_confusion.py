"""The confusion matrix."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.plots import plot_confusion
from tests.picture_checks import images_of, look_right, png, shown, texts


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
