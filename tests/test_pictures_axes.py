"""Every picture draws into axes that it is given, and nowhere else."""

import functools
import io

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import style
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

import nnscratch as nn
from nnscratch import plots
from nnscratch.training.range_test import RangeTest
from tests.picture_checks import random


@functools.cache
def trained():
    """(data, model, history with its diagnosis), small and quick."""
    data = nn.load_dataset("digits")
    model = nn.mlp([64, 12, 10], rng=0)
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model, 0.05), progress=False, diagnose=True
    )
    history = trainer.fit(data.x_train[:300], data.y_train[:300], validation=0.2, epochs=3, rng=0)
    return data, model, history


def graph():
    a, b = nn.Input("a"), nn.Input("b")
    net = nn.Graph([a, b], output=nn.Tanh()(a * b + a))
    net.forward(0.5, 2.0)
    net.backward(1.0)
    return net


def images(count=5):
    return trained()[0].x_test[:count]


def labels(count=5):
    return trained()[0].y_test[:count]


def range_test():
    rates, losses = np.geomspace(1e-3, 1, 4), np.array([2.0, 1.9, 1.0, 3.0])
    return RangeTest(rates, losses, losses, 0.05, "by eye")


CNN = nn.Sequential(nn.Conv2d(1, 3, 3, rng=0), nn.ReLU())
PLANE = nn.Linear(2, 2, rng=0)
LOSS = nn.SoftmaxCrossEntropy()
# The pictures, each with the number of axes that it takes beside a single one
CASES = {
    "draw_graph": (lambda **k: plots.draw_graph(graph(), **k), 1),
    "plot_activations": (lambda **k: plots.plot_activations(nn.Tanh(), nn.ReLU(), **k), 2),
    "plot_comparison": (lambda **k: plots.plot_comparison({"a": [trained()[2]] * 2}, **k), 2),
    "plot_confusion": (lambda **k: plots.plot_confusion([0, 1, 1, 2], [0, 1, 2, 2], **k), 1),
    "plot_decision_boundary": (
        lambda **k: plots.plot_decision_boundary(PLANE, random(9, 2), np.arange(9) % 2, **k), 1,
    ),
    "plot_distributions": (
        lambda **k: plots.plot_distributions(trained()[1], LOSS, images(30), labels(30), **k), 6,
    ),
    "plot_feature_maps": (lambda **k: plots.plot_feature_maps(CNN, images(1), 1, **k), 1),
    "plot_filters": (lambda **k: plots.plot_filters(CNN[0], **k), 1),
    "plot_fit": (lambda **k: plots.plot_fit(nn.Sin(), random(9, 1), random(9, 1), **k), 1),
    "plot_gradient_norms": (lambda **k: plots.plot_gradient_norms(trained()[2], **k), 1),
    "plot_history": (lambda **k: plots.plot_history(trained()[2], **k), 2),
    "plot_image_rows": (lambda **k: plots.plot_image_rows({"digits": images()}, **k), 1),
    "plot_matrices": (lambda **k: plots.plot_matrices({"a": np.eye(3), "b": np.eye(3)}, **k), 2),
    "plot_percentiles": (
        lambda **k: plots.plot_percentiles({"a": random(5, 9), "b": random(5, 9)}, **k), 2,
    ),
    "plot_predictions": (
        lambda **k: plots.plot_predictions(
            images(), nn.predict(trained()[1], images()), labels(), **k
        ), 1,
    ),
    "plot_range_test": (lambda **k: plots.plot_range_test(range_test(), **k), 1),
    "plot_saliency": (lambda **k: plots.plot_saliency(trained()[1], images(2), **k), 1),
    "plot_steps": (lambda **k: plots.plot_steps(trained()[2], **k), 1),
}  # fmt: skip
WITH_TITLE = sorted(CASES.keys() - {"draw_graph", "plot_activations"})


def test_every_public_picture_is_here():
    assert {name for name in plots.__all__ if name.startswith(("plot_", "draw_"))} == set(CASES)


def pixels(figure):
    file = io.BytesIO()
    figure.savefig(file, format="rgba", dpi=50)
    width, height = (int(side * 50) for side in figure.get_size_inches())
    return np.frombuffer(file.getvalue(), np.uint8).reshape(height, width, 4)[..., :3]


def changed(before, after, axes):
    """Whether anything has changed inside the frame of the axes, as they were placed."""
    x0, y0, x1, y1 = axes
    height, width = before.shape[:2]
    rows = slice(height - int(y1 * height), height - int(y0 * height))
    columns = slice(int(x0 * width), int(x1 * width))
    return (before[rows, columns] != after[rows, columns]).any()


LEFT, RIGHT = (0.06, 0.1, 0.46, 0.9), (0.62, 0.1, 0.96, 0.9)


@pytest.mark.parametrize("name", CASES)
def test_a_picture_draws_into_the_axes_given_and_leaves_their_neighbour_alone(name):
    make, _ = CASES[name]
    figure = Figure(figsize=(12, 5))
    places = [figure.add_axes((x0, y0, x1 - x0, y1 - y0)) for x0, y0, x1, y1 in (LEFT, RIGHT)]
    before = pixels(figure)
    assert make(axes=places[0]) is figure
    after = pixels(figure)
    assert changed(before, after, LEFT)
    assert not changed(before, after, RIGHT)
    assert figure.axes[:2] == places and not figure.legends and not figure.texts
    assert figure.get_suptitle() == ""


@pytest.mark.parametrize("name", CASES)
def test_a_picture_takes_a_place_of_a_grid(name):
    make, count = CASES[name]
    figure = Figure(figsize=(12, 5), layout="constrained")
    places = figure.subplots(1, 2)
    assert make(axes=places[1]) is figure
    pixels(figure)
    assert not places[0].has_data() and not places[0].child_axes
    drawn = [axes for axes in figure.axes if axes.has_data()] or places[1].child_axes
    if places[1].get_subplotspec() is not None and not places[1].child_axes:
        assert drawn and all(axes.get_position().x0 >= 0.45 for axes in drawn)
    if count > 1:
        several = Figure(figsize=(12, 5)).subplots(1, count)
        make(axes=several)
        assert all(axes.has_data() for axes in several)


@pytest.mark.parametrize("name", CASES)
def test_axes_that_are_none_or_too_many_are_refused_by_name(name):
    make, count = CASES[name]
    for wrong, received in (("left", "str"), ([], "none"), ([None], "NoneType")):
        with pytest.raises(ValueError, match=f"{name} expected axes .*, received {received}; make"):
            make(axes=wrong)
    many = Figure().subplots(1, count + 1)
    with pytest.raises(ValueError, match=f"{name} draws .*, received {count + 1}"):
        make(axes=many)


@pytest.mark.parametrize("name", WITH_TITLE)
def test_a_title_stands_in_the_place_that_was_given(name):
    make, _ = CASES[name]
    figure = Figure(figsize=(8, 5))
    axes = figure.subplots()
    make(axes=axes, title="of $its$ own")
    assert figure.get_suptitle() == ""
    titles = [each.get_title(side) for each in figure.axes for side in ("left", "center")]
    found = [*titles, *(text.get_text() for text in axes.texts)]
    assert [text for text in found if text.startswith("of $its$ own")]


def test_the_pictures_need_no_pyplot():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    for make, _ in CASES.values():
        make(axes=Figure(figsize=(6, 4)).subplots())
    assert plt.get_fignums() == before
    assert mpl.get_backend()


@pytest.mark.parametrize("name", ["plot_history", "plot_comparison", "hits", "plot_saliency"])
def test_in_a_dark_style_nothing_is_black_on_black(name):
    net = trained()[1]
    said = nn.predict(net, images(2)).argmax(axis=1)
    drawn = {
        "plot_comparison": lambda: plots.plot_comparison({str(k): trained()[2] for k in range(8)}),
        "plot_saliency": lambda: plots.plot_saliency(net, images(2), said),
        "hits": lambda: plots.plot_predictions(images(3), np.eye(10)[labels(3)], labels(3)),
    }
    with mpl.rc_context(style.library["dark_background"]):
        figure = drawn[name]() if name in drawn else CASES[name][0]()
        figure.draw_without_rendering()
    written = [text for text in figure.findobj(Text) if text.get_text()]
    grid = [line for axes in figure.axes for line in axes.get_xgridlines() if line.get_visible()]
    lines = [line for axes in figure.axes for line in axes.lines]
    seen = written + lines
    assert seen
    assert not [each for each in seen if sum(to_rgb(each.get_color())) < 0.3]
    assert not [line for line in grid if sum(to_rgb(line.get_color())) > 2]  # that outshines curves
