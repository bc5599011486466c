"""The learning-rate range test: what it leaves alone, what it suggests, and its picture."""

import copy
import pickle

import numpy as np
import pytest

import nnscratch as nn
from tests.test_trainer_options import problem


def everything(model, optimizer):
    """All that a training could have changed, as bytes."""
    arrays = {**model.params, **model.buffers}
    for kind, slot in optimizer.state.items():
        arrays |= {f"{kind} {name}": array for name, array in slot.items()}
    rngs = [layer.rng.bit_generator.state for _, layer in model.walk() if hasattr(layer, "rng")]
    modes = [layer.training for _, layer in model.walk()]
    numbers = {k: v for k, v in vars(optimizer).items() if isinstance(v, (int, float))}
    return pickle.dumps(
        ({name: array.copy() for name, array in arrays.items()}, rngs, modes, numbers)
    )


def busy_model():
    rng = np.random.default_rng(0)
    layers = [nn.Normalize(6), nn.Linear(6, 8, rng=rng), nn.BatchNorm(8), nn.Dropout(0.3, rng=1)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(8, 3, rng=rng))


@pytest.mark.parametrize("kind", ["SGD", "Adam", "NAdam", "RMSprop"])
def test_model_and_optimizer_are_left_as_they_are_to_the_last_bit(kind):
    x, y = problem()
    model = busy_model()
    loss = nn.SoftmaxCrossEntropy()
    optimizer = getattr(nn, kind)(model, groups={"*.b": {"learning_rate": nn.Scaled(0.5)}})
    nn.Trainer(model, loss, optimizer, progress=False).fit(x, y, epochs=2, rng=0)
    model.train()
    model[2].eval()
    before, arrays = everything(model, optimizer), {k: id(w) for k, w in model.params.items()}
    found = nn.learning_rate_range_test(model, loss, optimizer, x, y, batch_size=16, rng=0)
    assert everything(model, optimizer) == before
    assert {k: id(w) for k, w in model.params.items()} == arrays
    assert len(found.losses) > 20
    twin = copy.deepcopy((model, optimizer))
    for one, its in ((model, optimizer), twin):  # and go on alike
        nn.Trainer(one, loss, its, progress=False).fit(x, y, epochs=1, rng=0)
    for name, array in model.params.items():
        np.testing.assert_array_equal(array, twin[0].params[name])


def test_what_is_not_fitted_stays_unfitted():
    x, y = problem()
    model = busy_model()
    nn.learning_rate_range_test(model, nn.SoftmaxCrossEntropy(), nn.Adam(model), x, y, rng=0)
    assert not model[0].fitted


def test_the_losses_are_those_of_a_training_whose_rate_grows():
    x, y = problem()
    model, twin = nn.mlp([6, 8, 3], rng=0), nn.mlp([6, 8, 3], rng=0)
    loss = nn.SoftmaxCrossEntropy()
    found = nn.learning_rate_range_test(
        model, loss, nn.SGD(model), x, y, low=1e-3, high=1.0, steps=24, batch_size=16, rng=5
    )
    np.testing.assert_allclose(found.rates, np.geomspace(1e-3, 1, 24))
    optimizer = nn.SGD(twin)
    grow = nn.Custom(optimizer, lambda step: 1e-2 * 1000 ** (step / 23))  # of 0.1
    history = nn.Trainer(twin, loss, optimizer, grow, progress=False).fit(
        x, y, epochs=6, batch_size=16, rng=5
    )
    np.testing.assert_allclose(found.losses, history.steps["loss"], rtol=1e-5)
    middle = found.losses[10:15].mean()
    assert found.smoothed[12] == pytest.approx(middle)


@pytest.mark.parametrize(
    "make",
    [
        lambda m: nn.SGD(m),
        lambda m: nn.SGD(m, momentum=0.9),
        lambda m: nn.Adam(m),
        lambda m: nn.RMSprop(m),
    ],
)
def test_training_at_the_suggested_rate_is_nearly_as_good_as_at_the_best_of_many(make):
    digits, loss = nn.load_dataset("digits"), nn.SoftmaxCrossEntropy()
    x, y = digits.x_train, digits.y_train

    def trained(rate):
        model = nn.mlp([64, 64, 10], rng=0)
        optimizer = make(model)
        optimizer.learning_rate = rate
        try:
            history = nn.Trainer(model, loss, optimizer, progress=False).fit(x, y, epochs=4, rng=0)
        except RuntimeError:
            return np.inf
        return history["train_loss"][-1]

    model = nn.mlp([64, 64, 10], rng=0)
    found = nn.learning_rate_range_test(model, loss, make(model), x, y, rng=0)
    losses = np.array([trained(rate) for rate in np.geomspace(1e-5, 10, 13)])
    untrained, best = losses[0], losses.min()
    assert (trained(found.suggestion) - best) / (untrained - best) < 0.15
    assert (np.median(losses) - best) / (untrained - best) > 0.5  # a rate at random is far worse


def test_it_ends_where_the_loss_has_grown_fourfold_or_is_no_number():
    x, y = problem()
    model = nn.Linear(6, 1, rng=0)
    found = nn.learning_rate_range_test(
        model, nn.MSELoss(), nn.SGD(model), x, 3 + x[:, :1], rng=0, high=1e9
    )
    assert len(found.rates) == len(found.losses) == len(found.smoothed) < 80
    assert np.isfinite(found.losses).all()
    assert 1e-3 < found.suggestion < 2

    class Burst(nn.Layer):
        calls = 0

        def forward_pass(self, x):
            Burst.calls += 1
            return (x if Burst.calls < 15 else x * np.inf), None

        def backward_pass(self, dy, cache):
            return dy

    model = nn.Sequential(nn.Linear(6, 3, rng=0), Burst())
    found = nn.learning_rate_range_test(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model), np.abs(x) + 1, y, rng=0
    )
    assert len(found.losses) == 14


def test_there_is_no_suggestion_where_no_rate_made_the_loss_fall():
    x, _ = problem()
    model = nn.Linear(6, 1, rng=0)
    found = nn.learning_rate_range_test(
        model, nn.MSELoss(), nn.SGD(model), 100 * x, x[:, :1], rng=0, low=10, high=1e5
    )
    assert found.suggestion is None
    assert "try a smaller low=" in found.rule
    assert "no suggestion (no rate from 10 on" in repr(found)
    found.plot()


def test_weights_changes_and_streams_are_taken_as_fit_takes_them():
    x, y = problem()
    loss = nn.SoftmaxCrossEntropy()

    def run(*data, **options):
        model = nn.mlp([6, 8, 3], rng=0)
        settings = {"batch_size": 20, "rng": 0, "steps": 12} | options
        return nn.learning_rate_range_test(model, loss, nn.SGD(model), *data, **settings)

    plain = run(x, y).losses
    assert not np.array_equal(run(x, y, sample_weight=np.arange(60) + 1.0).losses, plain)
    assert not np.array_equal(run(x, y, augment=lambda x, rng: 2 * x).losses, plain)
    batches = [(x[:20], y[:20]), (x[20:40], y[20:40])]
    assert len(run(batches).losses) == len(run(lambda: batches).losses) == 12
    np.testing.assert_array_equal(run(x, y).losses, plain)


def test_what_is_not_finite_from_the_start_is_explained():
    x, y = problem()
    x[3] = np.nan
    model = nn.mlp([6, 8, 3], rng=0)
    with pytest.raises(
        RuntimeError, match=r"at learning rate 1e-06: .* the input itself holds NaN"
    ):
        nn.learning_rate_range_test(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), x, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0}, "0 < low < high"),
        ({"low": 1, "high": 0.1}, "0 < low < high"),
        ({"high": np.inf}, "0 < low < high"),
        ({"steps": 5}, "at least 10 steps"),
        ({"steps": 30.5}, "steps is a whole number"),
        ({"batch_size": 0}, "batch_size of at least 1"),
        ({"clip_norm": -1}, "clip_norm is positive"),
        ({"optimizer": nn.SGD(nn.Linear(2, 2))}, "made for another model"),
        ({"x": list, "y": None}, "received no minibatch"),
    ],
)
def test_settings_that_make_no_sense_are_refused(options, message):
    x, y = problem()
    model = nn.mlp([6, 8, 3], rng=0)
    given = {"optimizer": nn.SGD(model), "x": x, "y": y} | options
    with pytest.raises(ValueError, match=message):
        nn.learning_rate_range_test(model, nn.SoftmaxCrossEntropy(), **given)


def test_the_picture_marks_the_suggestion_and_shows_where_the_loss_begins(tmp_path):
    digits, model = nn.load_dataset("digits"), nn.mlp([64, 16, 10], rng=0)
    found = nn.learning_rate_range_test(
        model, nn.SoftmaxCrossEntropy(), nn.Adam(model), digits.x_train, digits.y_train, rng=0
    )
    figure = found.plot(tmp_path / "rates.png", title="digits")
    assert (tmp_path / "rates.png").read_bytes().startswith(b"\x89PNG")
    axes = figure.axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_array_equal(lines["each step"].get_ydata(), found.losses)
    marked = lines[f"suggested: {found.suggestion:.2g}"]
    assert marked.get_xdata() == [found.suggestion]
    low, high = axes.get_ylim()
    assert low < found.smoothed.min() < found.losses[0] < high < 2 * found.losses[0]
    with pytest.raises(ValueError, match="what learning_rate_range_test returned, received dict"):
        nn.plots.plot_range_test({})


def test_a_model_that_is_frozen_as_a_whole_has_no_rate():
    model = nn.mlp([4, 3, 2], rng=0)
    optimizer = nn.SGD(model)
    model.freeze()
    with pytest.raises(ValueError, match=r"frozen as a whole; unfreeze\(\) some of it"):
        nn.learning_rate_range_test(
            model, nn.SoftmaxCrossEntropy(), optimizer, np.ones((8, 4), "f4"), np.arange(8) % 2
        )
