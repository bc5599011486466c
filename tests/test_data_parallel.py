"""Training by several processes: the same result as by one, and nothing left of them."""

import multiprocessing
import os
import signal

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.training import choosing, updaters

pytest.importorskip("threadpoolctl")

SAMPLES = 53
rng = np.random.default_rng(0)
IMAGES = rng.normal(size=(SAMPLES, 1, 18, 17))
LABELS = rng.integers(0, 10, SAMPLES)


def workers():
    """The processes of this one, but for those that joblib keeps for other tests."""
    every = multiprocessing.active_children()
    return [child for child in every if "Loky" not in type(child).__name__]


def net():
    return nn.lenet((1, 18, 17), rng=0).astype("f8")


def fitted(workers, model=None, optimizer=None, loss=None, x=IMAGES, y=LABELS, **settings):
    """(model, optimizer, history) after three epochs."""
    model = model or net()
    optimizer = (optimizer or (lambda model: nn.SGD(model, 0.05, momentum=0.9)))(model)
    if "schedule" in settings:
        settings["schedule"] = settings["schedule"](optimizer)
    trainer = nn.Trainer(
        model,
        loss or nn.SoftmaxCrossEntropy(),
        optimizer,
        workers=workers,
        progress=False,
        **settings,
    )
    history = trainer.fit(x, y, epochs=3, batch_size=10, rng=1, validation=(x[:9], y[:9]))
    return model, optimizer, history


def shift(x, rng):
    return np.roll(x, rng.integers(-1, 2), axis=3)


@pytest.mark.parametrize("workers", [2, 3])  # the last batch has 3 samples
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": lambda model: nn.Adam(model, 0.01)},
        {"clip_norm": 0.1},
        {"schedule": lambda optimizer: nn.CosineDecay(optimizer, 18)},
        {"loss": nn.SoftmaxCrossEntropy(reduction="sum"), "clip_norm": 1.0},
        {"augment": shift},
        {"loss": nn.SoftmaxCrossEntropy(np.arange(10.0), ignore_index=4)},  # weight nothing: 0, 4
    ],
    ids=["sgd", "adam", "clipped", "schedule", "sum", "augment", "weighted"],
)
def test_team_trains_to_the_weights_and_history_of_one_process(workers, settings):
    alone, optimizer, history = fitted(1, **settings)
    together, shared, shared_history = fitted(workers, **settings)
    for name, array in alone.params.items():
        np.testing.assert_allclose(together.params[name], array, rtol=1e-11, atol=1e-12)
    for name, arrays in optimizer.state.items():
        for key, array in arrays.items():
            np.testing.assert_allclose(shared.state[name][key], array, rtol=1e-9, atol=1e-12)
    assert shared.steps == optimizer.steps == 18
    for column in ("train_loss", "train_accuracy", "valid_loss", "learning_rate"):
        np.testing.assert_allclose(shared_history[column], history[column], rtol=1e-11)


class Scaled(nn.Layer):
    """A layer whose gradient pass knows no `out`."""

    def __init__(self):
        self.params = {"a": np.ones(3)}

    def forward_pass(self, x):
        return x * self.params["a"], x

    def backward_pass(self, dy, x):
        return dy * self.params["a"]

    def gradient_pass(self, dy, x):
        return {"a": (dy * x).sum(0)}


def test_regression_with_a_layer_of_ones_own_and_more_workers_than_samples_in_a_batch():
    x, y = rng.normal(size=(21, 3)), rng.normal(size=(21, 2))

    def model():
        return nn.Sequential(Scaled(), nn.Linear(3, 2, rng=0)).astype("f8")

    alone, _, history = fitted(1, model(), loss=nn.MSELoss(), x=x, y=y)  # batches of 10, 10, 1
    together, _, shared = fitted(3, model(), loss=nn.MSELoss(), x=x, y=y)
    for name, array in alone.params.items():
        np.testing.assert_allclose(together.params[name], array, rtol=1e-11, atol=1e-13)
    assert "train_accuracy" not in shared
    np.testing.assert_allclose(shared["train_loss"], history["train_loss"], rtol=1e-11)


def test_same_seed_gives_the_same_bits():
    one, two = fitted(2)[0], fitted(2)[0]
    for name, array in one.params.items():
        np.testing.assert_array_equal(two.params[name], array)


def test_nothing_is_left_of_the_team_and_the_arrays_are_private_again():
    model, optimizer, _ = fitted(2)
    assert workers() == []
    child = os.fork()
    if child == 0:
        model.params["0.W"][...] = 7
        optimizer.state["velocity"]["0.W"][...] = 7
        os._exit(0)
    os.waitpid(child, 0)
    assert not (model.params["0.W"] == 7).any()
    assert not (optimizer.state["velocity"]["0.W"] == 7).any()


def test_a_run_goes_on_alone_where_a_team_ended():
    alone, together = net(), net()
    for model, workers in ((alone, (1, 1)), (together, (2, 1))):
        optimizer = nn.SGD(model, 0.05, momentum=0.9)
        for count in workers:
            trainer = nn.Trainer(
                model, nn.SoftmaxCrossEntropy(), optimizer, workers=count, progress=False
            )
            trainer.fit(IMAGES, LABELS, epochs=2, batch_size=10, rng=1)
    for name, array in alone.params.items():
        np.testing.assert_allclose(together.params[name], array, rtol=1e-11, atol=1e-12)


def normalized(rng=None):
    """A net of which each part of a batch has to know of the others."""
    layers = [nn.Conv2d(1, 4, 5, stride=2, rng=0), nn.BatchNorm(4), nn.ReLU(), nn.Flatten()]
    layers += [nn.Dropout(0.3, rng=1 if rng is None else rng), nn.Linear(4 * 7 * 7, 16, rng=2)]
    layers += [nn.BatchNorm(16, momentum=None), nn.Tanh(), nn.Dropout(0.5, rng=rng or 3)]
    return nn.Sequential(*layers, nn.Linear(16, 10, rng=4)).astype("f8")


@pytest.mark.parametrize("workers", [2, 3])
def test_batch_norm_and_dropout_see_the_whole_batch(workers):
    alone, _, history = fitted(1, normalized())
    together, _, shared_history = fitted(workers, normalized())
    for arrays in ("params", "buffers"):
        for name, array in getattr(alone, arrays).items():
            found = getattr(together, arrays)[name]
            np.testing.assert_allclose(found, array, rtol=1e-9, atol=1e-11, err_msg=name)
    np.testing.assert_allclose(shared_history["train_loss"], history["train_loss"], rtol=1e-10)
    for one, other in zip(alone.layers, together.layers, strict=True):
        if isinstance(one, nn.Dropout):
            np.testing.assert_array_equal(one.rng.random(3), other.rng.random(3))
        assert "part" not in vars(other)


def test_dropout_may_draw_from_the_generator_of_the_order_and_of_augment():
    results = []
    for workers in (1, 2):
        rng = np.random.default_rng(5)
        model = normalized(rng)
        optimizer = nn.SGD(model, 0.05)
        trainer = nn.Trainer(
            model,
            nn.SoftmaxCrossEntropy(),
            optimizer,
            workers=workers,
            progress=False,
            augment=shift,
        )
        trainer.fit(IMAGES, LABELS, epochs=2, batch_size=10, rng=rng)
        results.append((model.params.copy(), rng.random(3)))
    (alone, drawn), (together, shared) = results
    np.testing.assert_array_equal(shared, drawn)
    for name, array in alone.items():
        np.testing.assert_allclose(together[name], array, rtol=1e-9, atol=1e-11)


def test_sums_longer_than_a_message_add_up():
    x = rng.normal(size=(24, 5000))

    def model():
        return nn.Sequential(nn.BatchNorm(5000), nn.Linear(5000, 10, rng=0)).astype("f8")

    alone, _, _ = fitted(1, model(), x=x, y=LABELS[:24])
    together, _, _ = fitted(2, model(), x=x, y=LABELS[:24])
    for name, array in alone.params.items():
        np.testing.assert_allclose(together.params[name], array, rtol=1e-9, atol=1e-11)


class Jitter(nn.Layer):
    """Noise for the batch, drawn without a look at `part`."""

    def __init__(self):
        self.rng = np.random.default_rng(0)

    def forward_pass(self, x):
        return x + self.rng.normal(size=x.shape), None

    def backward_pass(self, dy, cache):
        return dy


def test_a_layer_that_draws_for_the_whole_batch_is_refused():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(Jitter()))
    before = {name: array.copy() for name, array in model.params.items()}
    trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model), workers=2, progress=False)
    with pytest.raises(ValueError, match=r"layer 1\.0, Jitter\(\).*leave out workers="):
        trainer.fit(np.ones((4, 3)), np.ones((4, 4)))
    assert all(np.array_equal(model.params[name], array) for name, array in before.items())


# workers="auto" --------------------------------------------------------------------------------


@pytest.fixture
def auto(monkeypatch):
    """fit(model, seconds, ...) with workers="auto", where a step takes these seconds."""

    def fit(model, seconds=(0.2, 0.1), cores=2, **settings):
        times = dict(zip((1, 2), seconds, strict=True))
        tried = []

        def burst(updater, batch):
            workers = getattr(updater, "workers", 1)
            tried.append((workers, len(batch.x)))
            assert updater.model is not model if workers > 1 else True
            return times[workers]

        monkeypatch.setattr(choosing, "_burst", burst)
        monkeypatch.setattr(updaters, "cores", lambda: cores)
        trainer = nn.Trainer(
            model, nn.SoftmaxCrossEntropy(), nn.SGD(model, 0.05), workers="auto", **settings
        )
        trainer.fit(IMAGES, LABELS, epochs=3, batch_size=10, rng=1)
        return trainer, tried

    return fit


@pytest.mark.parametrize(("seconds", "chosen"), [((0.2, 0.1), 2), ((0.2, 0.195), 1)])
def test_auto_takes_what_is_faster_and_says_so_once(auto, capsys, seconds, chosen):
    trainer, tried = auto(normalized(), seconds)
    assert trainer.workers_chosen == chosen
    assert tried == [(1, 10)] * 3 + [(2, 10)] * 3
    said = [line for line in capsys.readouterr().err.splitlines() if "workers" in line]
    assert len(said) == 1
    assert f"workers: {chosen}; a step takes 200.00 ms in one process, 1" in said[0]
    trainer.fit(IMAGES, LABELS, epochs=1, batch_size=10, rng=1)
    assert len(tried) == 6
    assert "workers" not in capsys.readouterr().err


def test_a_trial_leaves_no_trace(auto):
    alone, optimizer, _ = fitted(1, normalized(), lambda model: nn.SGD(model, 0.05))
    model = normalized()
    trainer, _ = auto(model, (0.2, 0.5), progress=False)
    assert trainer.optimizer.steps == optimizer.steps
    for arrays in ("params", "buffers"):
        for name, array in getattr(alone, arrays).items():
            np.testing.assert_array_equal(getattr(model, arrays)[name], array, err_msg=name)
    assert workers() == []


@pytest.mark.parametrize(
    ("model", "options", "reason"),
    [
        (net, {"cores": 1}, "this process may use one core"),
        (net, {"seconds": (0.01, 0.001)}, "the run takes about 0.2 s"),
        (net, {"metrics": {"none": lambda y, t: 0.0}}, "metrics looks at a single process"),
        (lambda: nn.Sequential(Jitter(), net()), {}, "layer 0, Jitter() draws for the batch"),
    ],
    ids=["one core", "short", "metrics", "refused"],
)
def test_auto_stays_with_one_process_where_it_has_to(auto, capsys, model, options, reason):
    trainer, _ = auto(model(), **options)
    assert trainer.workers_chosen == 1
    assert f"workers: 1; {reason}" in capsys.readouterr().err


def test_auto_measures_and_trains_in_earnest(capsys, monkeypatch):
    monkeypatch.setattr(updaters, "cores", lambda: 2)
    monkeypatch.setattr(choosing, "SHORT", 0)
    model = net()
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model, 0.05), workers="auto")
    trainer.fit(IMAGES, LABELS, epochs=2, batch_size=10, rng=1)
    assert trainer.workers_chosen in (1, 2)
    assert "ms in one process" in capsys.readouterr().err
    assert workers() == []


def test_arguments_are_checked():
    model = net()
    for wrong in (0, "two"):
        with pytest.raises(ValueError, match='at least 1, or "auto", received'):
            nn.Trainer(model, nn.MSELoss(), nn.SGD(model), workers=wrong)
    trainer = nn.Trainer(model, nn.MSELoss(), nn.SGD(model), workers=2, diagnose=True)
    with pytest.raises(ValueError, match="leave out workers="):
        trainer.fit(IMAGES, LABELS)


def test_an_error_in_another_process_is_raised_here():
    labels = np.array(LABELS)
    labels[:] = 3
    labels[9] = 10  # in the second half of the first batch
    model = net()
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), workers=2, progress=False)
    with pytest.raises(ValueError, match="10"):
        trainer.fit(IMAGES[:10], labels[:10], batch_size=10, epochs=1)
    assert workers() == []


def test_a_killed_process_is_noticed():
    model = net()

    def kill(x, rng):
        for child in workers():
            os.kill(child.pid, signal.SIGKILL)
        return x

    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model), workers=2, progress=False, augment=kill
    )
    with pytest.raises(RuntimeError, match="a worker process ended with exit code -9"):
        trainer.fit(IMAGES, LABELS, batch_size=10, rng=0)


def test_a_loss_that_is_not_finite_in_one_half_names_the_layer():
    x = np.array(IMAGES)
    x[:] = np.where(np.arange(SAMPLES)[:, None, None, None] == 9, 1e200, x)
    model = net()
    model.params["0.W"][...] *= 1e200
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), workers=2, progress=False)
    with pytest.raises(RuntimeError, match=r"epoch 1, step 1.*layer 0, Conv2d"):
        trainer.fit(x[:10], LABELS[:10], batch_size=10)
    assert workers() == []


def test_what_is_not_finite_is_named_where_parts_know_of_each_other():
    x = np.array(IMAGES)
    x[9] = np.nan
    model = normalized()
    trainer = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), workers=2, progress=False)
    with pytest.raises(RuntimeError, match="the input itself holds NaN"):
        trainer.fit(x[:10], LABELS[:10], batch_size=10)
    assert workers() == []


def test_samples_that_change_their_shape_are_refused():
    model = net()
    shapes = iter([IMAGES.shape[1:], (1, 1, 17)])
    trainer = nn.Trainer(
        model,
        nn.SoftmaxCrossEntropy(),
        nn.SGD(model),
        workers=2,
        progress=False,
        augment=lambda x, rng: x.reshape(-1)[: len(x) * np.prod(s := next(shapes))].reshape(-1, *s),
    )
    with pytest.raises(ValueError, match=r"epoch 1, step 2: workers expected .*\(1, 18, 17\)"):
        trainer.fit(IMAGES, LABELS, batch_size=10, rng=0)
