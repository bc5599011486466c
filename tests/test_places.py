"""Where something went wrong in training: the sample of the data set, the layer on the way back."""

import numpy as np
import pytest

import nnscratch as nn


def problem(samples=60):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(samples, 6)).astype(np.float32)
    return x, (x @ rng.normal(size=(6, 3))).argmax(1)


def trainer(model=None, loss=None, **options):
    model = model or nn.mlp([6, 8, 3], rng=0)
    loss = loss or nn.SoftmaxCrossEntropy()
    return nn.Trainer(model, loss, nn.SGD(model, 0.01), progress=False, **options)


def fails(kind, message, run, *data, **options):
    with pytest.raises(kind, match=message):
        run.fit(*data, **{"rng": 0, "batch_size": 16, "epochs": 1} | options)


def test_a_sample_is_named_by_its_place_in_the_data_and_in_the_batch():
    x, y = problem()
    x[37, 2] = np.nan
    row = np.random.default_rng(0).permutation(60).tolist().index(37)
    place = rf"step {row // 16 + 1}: .*sample 37 of the training data \(row {row % 16} of the batch"
    fails(RuntimeError, place, trainer(), x, y)


@pytest.mark.parametrize("loss", [nn.MSELoss, nn.L1Loss, nn.HuberLoss])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_target_that_is_not_finite_is_named_by_its_place_in_the_data(loss, value):
    x, _ = problem()
    y = x[:, :3].copy()
    y[41, 1] = value
    fails(
        RuntimeError, r"the target itself .*sample 41 of the training", trainer(loss=loss()), x, y
    )


def test_a_label_that_is_no_class_is_named_by_its_place_in_the_data():
    x, y = problem()
    y[23] = 3
    message = r"received 3 at index \d+;.* \(row \d+ of the batch is sample 23 of the training data"
    fails(ValueError, message, trainer(), x, y)


def test_a_sample_keeps_its_number_where_a_share_is_held_out():
    x, y = problem()
    x[[5, 37]] = np.nan  # one of them may be held out
    run = trainer()
    fails(RuntimeError, r"sample (5|37) of the training data", run, x, y, validation=0.3)


def test_a_worker_s_part_of_a_batch_has_the_numbers_of_the_data():
    pytest.importorskip("threadpoolctl")
    x, y = problem()
    x[37, 2] = np.nan
    fails(RuntimeError, r"sample 37 of the training data", trainer(workers=2), x, y)


def test_of_minibatches_of_ones_own_the_row_is_named():
    x, y = problem()
    x[37, 2] = np.nan
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 60, 16)]
    fails(RuntimeError, r"step 3: .*first in sample 5 of the batch", trainer(), batches)


@pytest.mark.parametrize("row", [3, 700])
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x, y, row: x.__setitem__(row, np.nan), "the input itself holds NaN.*sample {}"),
        (lambda x, y, row: y.__setitem__(row, 3), r"labels in 0\.\.2 for 3 classes, received 3"),
    ],
)
def test_what_is_wrong_anywhere_in_the_validation_is_found_before_training(row, spoil, message):
    x, y = problem(800)
    spoil(x, y, row)
    run = trainer()
    before = run.model.params.copy()
    fails((RuntimeError, ValueError), message.format(row), run, *problem(), validation=(x, y))
    for name, array in before.items():
        np.testing.assert_array_equal(run.model.params[name], array)


# The way back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_the_layer_whose_backward_pass_made_a_nan_is_named(clip_norm):
    x, y = problem()
    model = nn.Sequential(nn.Linear(6, 16, rng=0), nn.ReLU(), nn.Sqrt(), nn.Linear(16, 3, rng=1))
    before = model.params.copy()
    message = r"step 1: the loss is finite, but on the way back layer 2, Sqrt\(\) is the first"
    fails(RuntimeError, message, trainer(model, clip_norm=clip_norm), x, y)
    for name, array in before.items():
        np.testing.assert_array_equal(model.params[name], array)  # not ruined by the step


def test_gradients_that_explode_are_not_blamed_on_a_slope():
    x, y = problem()
    deep = nn.Sequential(*(nn.Linear(6, 6, rng=i) for i in range(4)), nn.Linear(6, 3, rng=9))
    for layer in deep.layers[:-1]:
        layer.params["W"] *= 1e13
    deep[0].params["W"] = np.zeros((6, 6))
    fails(RuntimeError, r"layer 0, Linear\(6, 6\).*gradients explode", trainer(deep), x, y)


def test_large_gradients_that_are_finite_are_trained_on():
    x, _ = problem()
    model = nn.Linear(6, 3, bias=False, rng=0)
    run = nn.Trainer(model, nn.L1Loss(), nn.SGD(model, 1e-30), progress=False)
    run.fit(1e25 * x, np.zeros((60, 3)), epochs=1, rng=0)  # the squares of gradients are not
    assert np.isfinite(model.params["W"]).all()


def test_a_gradient_that_is_not_finite_is_found_without_a_bias_and_with_frozen_layers():
    x, y = problem()
    first = nn.Linear(6, 16, rng=0).freeze()
    parts = nn.Linear(16, 16, bias=False, rng=2), nn.ReLU(), nn.Sqrt(), nn.Linear(16, 3, rng=1)
    fails(RuntimeError, "layer 3, Sqrt", trainer(nn.Sequential(first, *parts)), x, y)
