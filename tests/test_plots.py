"""The curves of runs: what is drawn, how it looks, and what a reader of the picture is told."""

import io
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from nnscratch.plots import plot_history
from nnscratch.plots.colours import COLOURS
from nnscratch.training.history import History

LOSS = ["train_loss", "valid_loss"]
ALL = [*LOSS, "train_accuracy", "valid_accuracy"]


def run_of(epochs=5, columns=ALL, shift=0.0):
    """Distinct curves: no two columns have the same values."""
    return {
        name: [(0.9 - 0.1 * i + shift) * 0.9**epoch for epoch in range(epochs)]
        for i, name in enumerate(columns)
    }


def png(figure):
    file = io.BytesIO()
    figure.savefig(file)
    return file.getvalue()


def size(data):
    assert data.startswith(b"\x89PNG")
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


def curves(axes):
    """The lines but the circle of the best epoch, by label."""
    return {
        line.get_label(): line for line in axes.lines if not line.get_label().startswith("best")
    }


def legend_of(figure):
    (legend,) = figure.legends
    return {
        text.get_text(): line
        for text, line in zip(legend.get_texts(), legend.get_lines(), strict=True)
    }


def visible_ticks(axis):
    low, high = axis.get_view_interval()
    return [tick for tick in axis.get_ticklocs() if low <= tick <= high]


def test_the_panels_show_the_values_over_the_epochs():
    run = run_of(4)
    loss, accuracy = plot_history(run).axes
    for axes, quantity in ((loss, "loss"), (accuracy, "accuracy")):
        lines = curves(axes)
        assert list(lines) == ["train", "validation"]
        for label, part in (("train", "train"), ("validation", "valid")):
            assert list(lines[label].get_xdata()) == [1, 2, 3, 4]
            assert list(lines[label].get_ydata()) == run[f"{part}_{quantity}"]
        assert axes.get_xlabel() == "epoch"
    assert loss.get_ylabel() == "loss (mean per sample)"
    assert accuracy.get_ylabel() == "accuracy (share correct)"


def test_a_history_is_drawn_like_the_mapping_of_its_columns():
    history = History()
    for epoch in range(4):
        values = {name: values[epoch] for name, values in run_of(4).items()}
        history.append(**values, learning_rate=5.0, seconds=7.0)
    assert png(plot_history(history)) == png(plot_history(run_of(4)))


def test_a_run_without_accuracy_has_one_panel():
    (axes,) = plot_history(run_of(columns=LOSS)).axes
    assert axes.get_ylabel() == "loss (mean per sample)"


def test_accuracy_is_drawn_where_any_run_has_it():
    loss, accuracy = plot_history(run_of(columns=LOSS), run_of()).axes
    assert len(curves(loss)) == 4
    assert list(curves(accuracy)) == ["run 2, train", "run 2, validation"]


def test_a_single_run_has_two_colours_and_two_line_styles():
    lines = curves(plot_history(run_of()).axes[0])
    assert lines["train"].get_color() != lines["validation"].get_color()
    assert {line.get_color() for line in lines.values()} <= set(COLOURS)
    assert lines["train"].get_linestyle() == "--"
    assert lines["validation"].get_linestyle() == "-"


def test_of_several_runs_each_has_a_colour_and_the_style_tells_train_from_validation():
    figure = plot_history(run_of(), run_of(shift=0.3), run_of(shift=0.5), labels=["a", "b", "c"])
    for axes in figure.axes:
        lines = curves(axes)
        assert len(lines) == 6
        assert [lines[f"{name}, train"].get_color() for name in "abc"] == list(COLOURS[:3])
        assert [lines[f"{name}, validation"].get_color() for name in "abc"] == list(COLOURS[:3])
        assert {lines[f"{name}, train"].get_linestyle() for name in "abc"} == {"--"}
        assert {lines[f"{name}, validation"].get_linestyle() for name in "abc"} == {"-"}


def test_the_legend_shows_the_look_of_runs_and_styles():
    figure = plot_history(*[run_of(40, shift=i) for i in range(10)])
    legend = legend_of(figure)
    runs = [f"run {number}" for number in range(1, 11)]
    assert list(legend) == [*runs, "train", "validation"]
    lines = curves(figure.axes[0])
    for name in runs:
        assert legend[name].get_color() == lines[f"{name}, validation"].get_color()
    assert legend["run 9"].get_marker() == lines["run 9, validation"].get_marker()
    assert legend["train"].get_linestyle() == "--"
    assert legend["validation"].get_linestyle() == "-"


def test_forty_runs_all_look_different():
    lines = curves(plot_history(*[run_of(40, shift=i) for i in range(40)]).axes[0])
    looks = {
        (
            line.get_color(),
            line.get_linestyle(),
            line.get_marker() if line.get_markevery() else None,
        )
        for line in lines.values()
    }
    assert len(lines) == len(looks) == 80


def test_colours_are_those_of_okabe_and_ito():
    published = ["E69F00", "56B4E9", "009E73", "F0E442", "0072B2", "D55E00", "CC79A7", "000000"]
    assert sorted(COLOURS) == sorted(f"#{colour}" for colour in published)


@pytest.mark.parametrize("count", [1, 3, 12, 30])
def test_the_legend_covers_no_panel_and_nothing_leaves_the_picture(count):
    labels = [f"runs/a rather long name of run number {i}" for i in range(count)]
    figure = plot_history(*[run_of(shift=i) for i in range(count)], labels=labels, title="t")
    width, height = size(png(figure))
    legend = figure.legends[0].get_window_extent()
    title = figure._suptitle.get_window_extent()
    panels = [axes.get_tightbbox() for axes in figure.axes]
    for panel in panels:
        assert legend.y1 <= panel.y0
        assert title.y0 >= panel.y1
        assert panel.height > 200
    assert panels[0].x1 < panels[1].x0
    for box in (legend, title, *panels):
        assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height


def test_very_long_labels_and_titles_are_wrapped():
    figure = plot_history(run_of(), run_of(), labels=["x" * 300, "b"], title="word " * 60)
    width, _ = size(png(figure))
    for box in (figure.legends[0].get_window_extent(), figure._suptitle.get_window_extent()):
        assert box.x0 >= 0 and box.x1 <= width
    assert "".join(next(iter(legend_of(figure))).split()) == "x" * 300


def test_labels_are_shown_as_they_are_written():
    figure = plot_history(
        run_of(), run_of(), labels=["_hidden", "$x_1$ $"], title="5 $ and \\frac$"
    )
    png(figure)
    assert list(legend_of(figure))[:2] == ["_hidden", "$x_1$ $"]
    assert not figure.legends[0].get_texts()[1].get_parse_math()
    assert not figure._suptitle.get_parse_math()


def test_a_single_run_may_have_a_label():
    assert list(legend_of(plot_history(run_of(columns=LOSS), labels=["sgd"])))[:2] == [
        "sgd, train",
        "sgd, validation",
    ]


def test_text_is_black():
    figure = plot_history(run_of(), title="t")
    for axes in figure.axes:
        assert axes.xaxis.label.get_color() == axes.yaxis.label.get_color() == "black"
    assert {text.get_color() for text in figure.legends[0].get_texts()} == {"black"}


@pytest.mark.parametrize("epochs", [1, 2, 3, 4, 7, 15, 16, 99, 300, 12345])
def test_epoch_ticks_are_whole_epochs_of_the_run(epochs):
    figure = plot_history(run_of(epochs))
    for axes in figure.axes:
        ticks = visible_ticks(axes.xaxis)
        assert 1 <= len(ticks) <= 10
        assert all(tick == round(tick) and 1 <= tick <= epochs for tick in ticks)


def test_one_epoch_is_visible_as_a_marker():
    for axes in plot_history(run_of(1)).axes:
        for line in curves(axes).values():
            assert line.get_marker() == "o"
            assert line.get_markevery() == [0]
            assert line.get_markersize() > 2


@pytest.mark.parametrize("epochs, marked", [(15, True), (16, False)])
def test_every_epoch_of_a_short_run_has_a_marker_and_the_legend_too(epochs, marked):
    figure = plot_history(run_of(epochs))
    line = curves(figure.axes[0])["train"]
    assert line.get_markevery() == (list(range(epochs)) if marked else [])
    assert legend_of(figure)["train"].get_marker() == ("o" if marked else "")


def test_a_point_between_gaps_is_visible_as_a_marker():
    run = {"train_loss": [1.0] * 20 + [math.nan, 2.0, math.inf] + [1.0] * 20}
    (line,) = plot_history(run).axes[0].lines
    assert line.get_markevery() == [21]


@pytest.mark.parametrize("log", [False, True])
def test_values_that_are_not_finite_are_gaps_and_counted(log):
    run = {"train_loss": [3.0, math.nan, 2.0, math.inf, -math.inf, 1.0]}
    figure = plot_history(run, log=log)
    (line,) = figure.axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), [3, np.nan, 2, np.nan, np.nan, 1])
    assert figure.axes[0].get_title(loc="right") == "values left out: 3 not finite"
    low, high = figure.axes[0].get_ylim()
    assert 0 < low <= 1 and 3 <= high < 4
    png(figure)


def test_a_clean_run_has_no_note():
    assert all(axes.get_title(loc="right") == "" for axes in plot_history(run_of()).axes)


def test_log_is_for_the_loss_alone_and_leaves_out_values_of_zero_and_below():
    run = run_of(4) | {"train_loss": [1.0, 0.0, -1.0, 0.1], "train_accuracy": [0.0, 0.1, 0.2, 0.3]}
    figure = plot_history(run, log=True)
    loss, accuracy = figure.axes
    assert loss.get_yscale() == "log"
    assert accuracy.get_yscale() == "linear"
    np.testing.assert_array_equal(curves(loss)["train"].get_ydata(), [1, np.nan, np.nan, 0.1])
    assert loss.get_title(loc="right") == "values left out: 2 not positive"
    assert curves(accuracy)["train"].get_ydata()[0] == 0
    png(figure)


def test_log_labels_within_a_decade_are_plain_and_different():
    figure = plot_history({"train_loss": [0.5 + 0.01 * i for i in range(10)]}, log=True)
    png(figure)
    axis = figure.axes[0].yaxis
    labels = [label.get_text() for label in axis.get_ticklabels(which="both") if label.get_text()]
    low, high = axis.get_view_interval()
    shown = [label for label in labels if low <= float(label) <= high]
    assert len(shown) == len(set(shown)) >= 3


@pytest.mark.parametrize(
    "values, log, message",
    [
        ([math.nan] * 3, False, "no finite values"),
        ([math.inf] * 3, True, "no finite values"),
        ([0.0, -1.0], True, "no positive values"),
    ],
)
def test_a_panel_without_a_value_says_so(values, log, message):
    figure = plot_history({"train_loss": values, "valid_loss": values}, log=log)
    assert [text.get_text() for text in figure.axes[0].texts] == [message]
    assert "best" not in " ".join(legend_of(figure))
    png(figure)


def test_the_best_validation_loss_of_a_single_run_is_circled_and_told():
    run = {"train_loss": [5.0, 0.1, 0.05, 0.01], "valid_loss": [math.nan, 3.0, 0.12345, 4.0]}
    figure = plot_history(run)
    (circle,) = [line for line in figure.axes[0].lines if line.get_label().startswith("best")]
    assert list(circle.get_xdata()) == [3]
    assert list(circle.get_ydata()) == [0.12345]
    assert "best validation loss: 0.1235 (epoch 3)" in legend_of(figure)


def test_several_runs_have_no_circle():
    figure = plot_history(run_of(), run_of(shift=1))
    assert "best" not in " ".join(legend_of(figure))
    assert len(figure.axes[0].lines) == 4


def test_an_accuracy_of_one_has_no_tick_above_it():
    axes = plot_history({"train_loss": [0.1], "train_accuracy": [1.0]}).axes[1]
    assert max(visible_ticks(axes.yaxis)) == pytest.approx(1)
    assert axes.get_ylim()[1] > 1


def test_the_default_picture_of_two_panels_is_1200_pixels_wide():
    width, height = size(png(plot_history(run_of())))
    assert width == 1200
    assert 400 < height < 600


@pytest.mark.parametrize(
    "histories, options, message",
    [
        ([], {}, "at least one history"),
        ([run_of()], {"labels": ["a", "b"]}, "1 histories need a list of 1 labels"),
        ([run_of(), run_of()], {"labels": ["a"]}, "2 histories need"),
        ([run_of(), run_of()], {"labels": "ab"}, "2 histories need"),
        ([run_of(), History()], {}, "history 2 has no epochs"),
        ([{}], {}, "history 1 has no epochs"),
        ([{"train_loss": []}], {}, "history 1 has no epochs.*train first"),
        ([{"seconds": [1.0]}], {}, "history 1 has no epochs of train_loss"),
        ([[run_of(), run_of()]], {}, r"is a list.*plot_history\(\*histories\)"),
        ([{"train_loss": [1.0, 2.0], "valid_loss": [1.0]}], {}, "one number per epoch"),
        ([{"train_loss": [[1.0, 2.0]]}], {}, "one number per epoch"),
    ],
)
def test_what_cannot_be_drawn_is_an_error_with_a_remedy(histories, options, message):
    with pytest.raises(ValueError, match=message):
        plot_history(*histories, **options)


@pytest.mark.parametrize("log", [False, True])
def test_the_largest_and_smallest_floats_are_drawn_without_a_warning(log):
    run = {"train_loss": [1.7e308, 1e224, -1e308, 1e99], "valid_loss": [5e-324, 8e-272, 0.0, 1e-99]}
    figure = plot_history(run, log=log)
    png(figure)
    left_out = "3 not finite, 3 not positive" if log else "3 not finite"
    assert figure.axes[0].get_title(loc="right") == f"values left out: {left_out}"


def test_drawing_changes_no_argument():
    run = {"train_loss": np.array([1.0, -1.0, np.nan])}
    plot_history(run, log=True)
    np.testing.assert_array_equal(run["train_loss"], [1.0, -1.0, np.nan])


def test_neither_pyplot_nor_a_display_is_needed():
    code = """
import io, sys
import nnscratch.plots
assert "matplotlib" not in sys.modules, "imported before anything is drawn"
figure = nnscratch.plots.plot_history({"train_loss": [2.0, 1.0], "train_accuracy": [0.1, 0.2]})
file = io.BytesIO()
figure.savefig(file)
assert file.getvalue().startswith(b"\\x89PNG")
assert "matplotlib" in sys.modules
assert "matplotlib.pyplot" not in sys.modules, "pyplot was imported"
"""
    hidden = {"MPLBACKEND", "DISPLAY", "WAYLAND_DISPLAY"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_the_label_of_an_axis_is_inside_the_picture_whatever_its_numbers():
    history = History()
    for k in range(30):
        loss = 1.4671 * 0.87**k
        history.append(
            train_loss=loss, train_accuracy=1 - loss / 4, valid_loss=loss / 3, valid_accuracy=0.9
        )
    figure = history.plot(title="digits")
    figure.savefig(io.BytesIO(), format="png")
    for axes in figure.axes:
        assert axes.yaxis.label.get_window_extent().x0 >= 0
