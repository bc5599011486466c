"""Curves: what is taken for one, smoothing, steps, and several seeds."""

import re

import numpy as np
import pytest

import nnscratch as nn
from nnscratch import plots
from nnscratch.plots.records import smoothed
from tests.picture_checks import look_right, random


def run(column, *values):
    return {column: list(values)}


def history(epochs=4, seed=0, valid=True):
    rng = np.random.default_rng(seed)
    found = nn.History()
    for epoch in range(epochs):
        values = {"train_loss": 1 / (epoch + 1) + 0.1 * rng.random(), "train_f1": 0.1 * epoch}
        if valid:
            values |= {"valid_loss": 1.0 - 0.1 * epoch, "valid_f1": 0.1 * epoch}
        found.append(**values, learning_rate=0.1)
    found.steps["loss"] = list(rng.random(40))
    return found


def data(axes):
    return [np.asarray(line.get_ydata()) for line in axes.lines]


# --- smoothing ---


@pytest.mark.parametrize("beta", [0.5, 0.9, 0.999])
def test_smoothing_is_the_mean_with_falling_weights(beta):
    """m̂_t = Σ_s β^(t-s) x_s / Σ_s β^(t-s), written out."""
    x = random(50)
    mean = smoothed(x, beta)
    for t in range(50):
        weights = beta ** np.arange(t, -1, -1)
        np.testing.assert_allclose(mean[t], weights @ x[: t + 1] / weights.sum(), rtol=1e-12)
    assert mean[0] == x[0]


def test_a_smoothed_constant_is_itself_from_the_first_value_on():
    np.testing.assert_allclose(smoothed(np.full(20, 3.0), 0.99), 3.0)


def test_a_gap_stays_a_gap_and_does_not_spread():
    x = np.array([1.0, np.nan, np.inf, 3.0])
    assert np.isnan(smoothed(x, 0.9)).tolist() == [False, True, True, False]
    np.testing.assert_allclose(smoothed(x, 0.5)[3], (0.5 * 1 + 3) / 1.5)


def test_of_a_smoothed_curve_the_raw_one_stays_faint():
    (axes,) = plots.plot_history(run("train_loss", 4.0, 1.0, 1.0), smoothing=0.5).axes
    raw, mean = axes.lines
    assert raw.get_alpha() < 0.5 and mean.get_alpha() is None
    assert raw.get_ydata().tolist() == [4, 1, 1]
    np.testing.assert_allclose(mean.get_ydata(), [4, 2, 1 + 3 / 7])
    assert axes.get_title(loc="right") == "smoothed by 0.5, the raw curve faint"
    plain = plots.plot_history(run("train_loss", 4.0, 1.0, 1.0)).axes[0]
    assert len(plain.lines) == 1 and plain.get_title(loc="right") == ""


@pytest.mark.parametrize("draw", [plots.plot_history, plots.plot_steps])
@pytest.mark.parametrize("smoothing", [1.0, -0.1, np.nan])
def test_a_smoothing_that_is_no_share_is_refused(draw, smoothing):
    with pytest.raises(ValueError, match="expected a smoothing from 0"):
        draw(history(), smoothing=smoothing)


# --- steps ---


def test_curves_by_the_step_are_labelled_as_such():
    figure = plots.plot_steps(history(seed=1), history(seed=2), smoothing=0.9, title="two")
    (axes,) = figure.axes
    assert axes.get_xlabel() == "step (one minibatch each)"
    assert axes.get_ylabel() == "minibatch loss (mean per sample)"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["run 1", "run 2"]
    np.testing.assert_array_equal(data(axes)[0], history(seed=1).steps["loss"])
    look_right(figure)


@pytest.mark.parametrize("given", [history(), history().steps, history().steps["loss"]])
def test_steps_are_taken_from_what_a_trainer_leaves(given):
    np.testing.assert_array_equal(data(plots.plot_steps(given).axes[0])[0], history().steps["loss"])


@pytest.mark.parametrize("given", [nn.History(), {"train_loss": [1.0]}, [], [[1.0]]])
def test_what_has_no_steps_is_refused(given):
    with pytest.raises(ValueError, match="argument 1 has no losses by the step"):
        plots.plot_steps(given)


def test_steps_that_cannot_be_drawn_are_counted():
    axes = plots.plot_steps([1.0, np.nan, 0.0, 2.0], log=True).axes[0]
    assert axes.get_title(loc="right") == "values left out: 1 not finite, 1 not positive"
    assert axes.get_yscale() == "log"


# --- several seeds ---


def test_several_seeds_are_their_median_and_range():
    seeds = [run("train_loss", value, 2 * value) for value in (1.0, 2.0, 30.0, 4.0, 3.0)]
    (axes,) = plots.plot_comparison({"way": seeds}).axes
    assert data(axes)[0].tolist() == [3, 6]
    low, high = axes.collections[0].get_paths()[0].get_extents().intervaly
    assert (low, high) == (1, 60)
    (axes,) = plots.plot_comparison({"way": seeds}, band="quartiles").axes
    low, high = axes.collections[0].get_paths()[0].get_extents().intervaly
    assert (low, high) == (2, 8)


def test_a_band_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="expected a band of range, quartiles, received 'std'"):
        plots.plot_comparison({"a": history()}, band="std")


def test_each_seed_is_smoothed_by_itself():
    seeds = [run("valid_loss", 1.0, 0.0), run("valid_loss", 3.0, 0.0)]
    raw, mean = data(plots.plot_comparison({"a": seeds}, smoothing=0.5).axes[0])
    assert raw.tolist() == [2, 0]
    np.testing.assert_allclose(mean, [2, 2 / 3])


# --- what is taken ---


def test_without_validation_the_training_is_compared():
    figure = plots.plot_comparison({"a": history(valid=False), "b": history(valid=False)})
    assert [axes.get_ylabel() for axes in figure.axes] == ["training loss (mean per sample)"]
    with_validation = {"train_loss": [1.0], "valid_accuracy": [0.5], "train_accuracy": [0.6]}
    without = {"train_loss": [1.0], "train_accuracy": [0.6]}
    for other, label in ((with_validation, "validation acc"), (without, "training acc")):
        figure = plots.plot_comparison({"a": with_validation, "b": other})
        assert figure.axes[1].get_ylabel().startswith(label)


def test_a_metric_has_a_panel_where_it_is_asked_for():
    figure = plots.plot_history(history(), quantities=("loss", "f1"))
    assert [axes.get_ylabel() for axes in figure.axes] == ["loss (mean per sample)", "f1"]
    figure = plots.plot_comparison({"a": history()}, "valid_f1")
    assert figure.axes[0].get_ylabel() == "valid f1"


def test_the_folder_of_a_run_is_a_record(tmp_path):
    history().to_csv(tmp_path / "history.csv")
    for given in (tmp_path, str(tmp_path), tmp_path / "history.csv"):
        drawn = data(plots.plot_history(given).axes[0])
        np.testing.assert_allclose(drawn[0], history()["train_loss"])
    assert len(plots.plot_comparison({"a": [tmp_path, history()]}).axes) == 1
    with pytest.raises(ValueError, match="argument 1 is a str, 'none', not a History"):
        plots.plot_history("none")


def test_what_evaluate_says_is_a_line_across():
    figure = plots.plot_history(
        {"train_loss": [1.0, 0.5], "train_accuracy": [0.5, 0.9]}, test=(0.7, 0.8)
    )
    assert [data(axes)[-1].tolist() for axes in figure.axes] == [[0.7, 0.7], [0.8, 0.8]]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[-2:] == ["test loss: 0.7", "test accuracy: 0.8"]
    regression = plots.plot_history({"train_loss": [1.0, 0.5]}, test=(0.7, None))
    assert data(regression.axes[0])[-1].tolist() == [0.7, 0.7]
    look_right(figure)


def test_a_confusion_matrix_is_drawn_as_it_is():
    predicted, labels = [0, 1, 1, 2, 2], [0, 1, 2, 2, 0]
    matrix = nn.confusion_matrix(predicted, labels)
    of_matrix, of_labels = plots.plot_confusion(matrix), plots.plot_confusion(predicted, labels)
    for figure in (of_matrix, of_labels):
        assert figure.get_suptitle() == "accuracy 0.6000: 3 of 5 right"
    cells = [
        [(t.get_position(), t.get_text()) for t in f.axes[0].texts] for f in (of_matrix, of_labels)
    ]
    assert cells[0] == cells[1]


@pytest.mark.parametrize(
    "given", [random(4, 4), np.zeros((2, 3), int), [1, 2], -np.eye(2, dtype=int)]
)
def test_what_is_no_confusion_matrix_is_refused(given):
    with pytest.raises(ValueError, match=re.escape("plot_confusion(scores, labels)")):
        plots.plot_confusion(given)


def test_gradient_norms_are_taken_from_a_history():
    digits = nn.load_dataset("digits")
    model = nn.mlp([64, 8, 10], rng=0)
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False, diagnose=True
    )
    found = trainer.fit(digits.x_train[:100], digits.y_train[:100], epochs=2, rng=0)
    labels = [line.get_label() for line in plots.plot_gradient_norms(found).axes[0].lines]
    assert labels == [
        line.get_label() for line in plots.plot_gradient_norms(found.diagnosis).axes[0].lines
    ]
    with pytest.raises(ValueError, match="diagnose=True"):
        plots.plot_gradient_norms(history())
