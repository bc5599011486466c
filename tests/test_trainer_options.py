"""What a trainer takes: weights, metrics, callbacks, shares, minibatches, several inputs."""

import sys

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.training.run import Run
from nnscratch.training.validation import Validation


def problem(samples=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(samples, 6)).astype(np.float32)
    return x, (x @ rng.normal(size=(6, 3))).argmax(1)


def trainer(rng=0, schedule=None, optimizer=None, **options):
    model = nn.mlp([6, 8, 3], rng=rng)
    optimizer = nn.Adam(model, 0.01) if optimizer is None else optimizer(model)
    if schedule is not None:
        schedule = schedule(optimizer)
    loss = nn.SoftmaxCrossEntropy()
    return nn.Trainer(model, loss, optimizer, schedule, progress=False, **options)


def assert_same(first, second):
    for name, array in first.params.items():
        np.testing.assert_array_equal(array, second.params[name], err_msg=name)


# Weights, metrics, callbacks -------------------------------------------------------------------


def test_a_sample_of_weight_two_counts_as_two_samples():
    x, y = problem()
    weight = 1 + (np.arange(60) % 3 == 0)
    one = trainer()
    one.model.astype("f8")
    history = one.fit(x, y, epochs=3, batch_size=60, sample_weight=weight)
    rows = np.repeat(np.arange(60), weight)
    two = trainer()
    two.model.astype("f8")
    same = two.fit(x[rows], y[rows], epochs=3, batch_size=len(rows))
    np.testing.assert_allclose(history["train_loss"], same["train_loss"], rtol=1e-12)
    for name, array in one.model.params.items():
        np.testing.assert_allclose(array, two.model.params[name], rtol=1e-9)


def test_a_sample_of_weight_zero_changes_nothing():
    x, y = problem()
    weight = np.ones(60)
    weight[7] = 0
    spoilt = x.copy()
    spoilt[7] = 1e6
    runs = [trainer(), trainer()]
    for run, inputs in zip(runs, (x, spoilt), strict=True):
        run.fit(inputs, y, epochs=2, batch_size=20, sample_weight=weight, rng=0)
    assert_same(runs[0].model, runs[1].model)


def test_metrics_have_columns_of_all_predictions_of_an_epoch():
    x, y = problem()
    seen = []

    def wrong(prediction, target):
        seen.append(len(target))
        return np.mean(prediction.argmax(1) != target)

    run = trainer(metrics={"wrong": wrong})
    history = run.fit(x, y, validation=(x[:20], y[:20]), epochs=3, batch_size=16, rng=0)
    assert list(history) == [
        "train_loss",
        "train_accuracy",
        "train_wrong",
        "valid_loss",
        "valid_accuracy",
        "valid_wrong",
        "learning_rate",
        "seconds",
    ]
    np.testing.assert_allclose(history["train_wrong"], 1 - np.array(history["train_accuracy"]))
    np.testing.assert_allclose(history["valid_wrong"], 1 - np.array(history["valid_accuracy"]))
    assert seen == [20, 60, 20, 60, 20, 60, 20]  # tried once before the first epoch


@pytest.mark.parametrize("value", [None, "much", [1.0, 2.0], 1j])
def test_a_metric_that_gives_no_number_is_refused_before_the_first_epoch(value):
    x, y = problem()
    run = trainer(metrics={"odd": lambda prediction, target: value})
    before = run.model.params.copy()
    with pytest.raises(ValueError, match="the metric 'odd' expected to return a number"):
        run.fit(x, y, validation=(x, y), epochs=1)
    for name, array in before.items():
        np.testing.assert_array_equal(run.model.params[name], array)


def test_callbacks_see_each_epoch_and_one_may_stop_the_run():
    x, y = problem()
    seen = []

    def third(trainer, values):
        seen.append(values["train_loss"])
        return "stop" if len(seen) == 3 else None

    run = trainer(callbacks=[third])
    history = run.fit(x, y, epochs=9, rng=0)
    assert (len(history), history.stopped) == (3, "callback")
    assert seen == history["train_loss"]
    with pytest.raises(ValueError, match="callbacks are functions"):
        trainer(callbacks=["stop"])


def test_every_step_has_its_loss():
    x, y = problem()
    history = trainer().fit(x, y, epochs=2, batch_size=16, rng=0)
    steps = np.array(history.steps["loss"])
    assert len(steps) == 8
    np.testing.assert_allclose(
        (steps[:4] @ [16, 16, 16, 12]) / 60, history["train_loss"][0], rtol=1e-12
    )


# Validation as a share -------------------------------------------------------------------------


def test_a_share_is_held_out_of_every_class():
    x, y = problem(300)
    held = []
    run = trainer(
        metrics={"rare": lambda prediction, target: held.append(np.bincount(target)) or 0}
    )
    run.fit(x, y, validation=0.2, epochs=1, rng=0)
    counts = np.bincount(y)
    np.testing.assert_allclose(held[-1] / counts, 0.2, atol=0.02)
    assert held[-1].sum() == 60
    assert held[-2].sum() == 240


def test_the_share_does_not_change_the_order_of_the_rest_and_is_the_same_after_resume(tmp_path):
    x, y = problem()
    whole = trainer(checkpoint=tmp_path / "whole.npz")
    expected = whole.fit(x, y, validation=0.3, epochs=4, batch_size=8, rng=5)
    part = trainer(checkpoint=tmp_path / "part.npz")
    part.fit(x, y, validation=0.3, epochs=2, batch_size=8, rng=5)
    again = trainer(rng=1, checkpoint=tmp_path / "part.npz")
    assert again.resume() == 2
    history = again.fit(x, y, validation=0.3, epochs=4, batch_size=8)
    assert_same(whole.model, again.model)
    assert history["valid_loss"] == expected["valid_loss"]


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, 0.001])
def test_shares_that_leave_nothing_are_refused(share):
    x, y = problem()
    with pytest.raises(ValueError, match="a share of the samples between 0 and 1"):
        trainer().fit(x, y, validation=share)


@pytest.mark.parametrize("wrong", ["x", 3, None.__class__, (1,), (1, 2, 3, 4)])
def test_what_is_no_validation_is_refused_before_the_first_epoch(wrong):
    x, y = problem()
    run = trainer()
    before = run.model.params.copy()
    with pytest.raises((ValueError, TypeError)):
        run.fit(x, y, validation=wrong, epochs=1)
    for name, array in before.items():
        np.testing.assert_array_equal(run.model.params[name], array)


def test_validation_that_does_not_fit_fails_before_the_first_epoch():
    x, y = problem()
    run = trainer()
    before = run.model.params.copy()
    with pytest.raises(ValueError, match=r"Linear\(6, 8\) expected"):
        run.fit(x, y, validation=(x[:, :5], y), epochs=1)
    for name, array in before.items():
        np.testing.assert_array_equal(run.model.params[name], array)


def test_nan_in_the_validation_is_found_with_its_sample():
    x, y = problem()
    held = x.copy()
    held[13, 2] = np.nan
    with pytest.raises(
        RuntimeError, match=r"before the first epoch: the input itself .*sample 13 of the vali"
    ):
        trainer().fit(x, y, validation=(held, y), epochs=1)


# Streams and several inputs --------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["function", "list"])
def test_minibatches_of_ones_own_train_as_arrays_do(kind):
    x, y = problem()
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, 60, 16)]

    def made():
        yield from batches

    one, two = trainer(), trainer()

    class InOrder(np.random.Generator):
        def permutation(self, count):
            return np.arange(count)

    expected = one.fit(x, y, epochs=3, batch_size=16, rng=InOrder(np.random.PCG64()))
    history = two.fit(made if kind == "function" else batches, epochs=3)
    assert_same(one.model, two.model)
    assert history["train_loss"] == expected["train_loss"]


def test_a_generator_is_refused_since_it_ends_with_the_first_epoch():
    x, y = problem()
    with pytest.raises(ValueError, match="pass the function that makes it, without calling it"):
        trainer().fit((x, y) for _ in range(3))
    with pytest.raises(ValueError, match="expected y, or as x an iterable"):
        trainer().fit(3)
    with pytest.raises(ValueError, match=r"minibatches \(x, y\) or \(x, y, weight\)"):
        trainer().fit([x])
    with pytest.raises(ValueError, match="no minibatch"):
        trainer().fit(list)


def test_several_inputs_and_outputs_are_tuples():
    class Both(nn.Layer):
        def __init__(self):
            self.left, self.right = nn.Linear(2, 3, rng=0), nn.Linear(4, 3, rng=1)

        def forward_pass(self, u, v):
            (a, c), (b, d) = self.left.forward_pass(u), self.right.forward_pass(v)
            return (a + b, a - b), (c, d)

        def backprop(self, dy, caches, out=None, need_dx=True):
            du, left = self.left.backprop(dy[0] + dy[1], caches[0])
            dv, right = self.right.backprop(dy[0] - dy[1], caches[1])
            grads = {f"left.{k}": g for k, g in left.items()}
            return (du, dv), grads | {f"right.{k}": g for k, g in right.items()}

    class Sum(nn.MSELoss):
        def forward_pass(self, prediction, target, weight=None, *, total=None):
            parts = [
                super(Sum, self).forward_pass(p, t, weight, total=total)
                for p, t in zip(prediction, target, strict=True)
            ]
            return sum(value for value, _ in parts), self.Kept([c for _, c in parts])

        class Kept(list):
            @property
            def total(self):
                return self[0].total

        def backward_pass(self, dy, caches):
            return tuple(super(Sum, self).backward_pass(dy, cache) for cache in caches)

        def total_weight(self, prediction, target, weight=None):
            return super().total_weight(prediction[0], target[0], weight)

    x, _ = problem()
    u, v = x[:, :2], x[:, 2:]
    y = (u @ np.ones((2, 3), "f4") + v @ np.ones((4, 3), "f4"), u @ np.ones((2, 3), "f4"))
    y = (y[0], 2 * y[1] - y[0])
    model = Both()
    run = nn.Trainer(model, Sum(), nn.Adam(model, 0.05), progress=False)
    history = run.fit((u, v), y, validation=((u, v), y), epochs=60, batch_size=20, rng=0)
    assert history["valid_loss"][-1] < 1e-2 * history["train_loss"][0]
    assert [part.shape for part in nn.predict(model, (u, v), batch_size=7)] == [(60, 3), (60, 3)]


# predict ---------------------------------------------------------------------------------------


def test_predict_evaluates_in_batches_and_gives_the_mode_back():
    x, _ = problem()
    model = nn.Sequential(nn.Linear(6, 4, rng=0), nn.BatchNorm(4), nn.Dropout(0.5))
    for _ in range(3):
        model.forward(x)
    model[1].eval()
    before = model.buffers.copy()
    expected = nn.Sequential(*model.layers).eval().forward(x)
    model.train()
    model[1].eval()
    np.testing.assert_allclose(nn.predict(model, x, batch_size=7), expected, rtol=1e-6)
    assert (model.training, model[1].training, model[2].training) == (True, False, True)
    for name, array in before.items():
        np.testing.assert_array_equal(model.buffers[name], array)
    assert nn.predict(model, x[:0]).shape == (0, 4)
    with pytest.raises(ValueError, match="batch_size of at least 1"):
        nn.predict(model, x, batch_size=0)
    with pytest.raises(ValueError, match="expected a model"):
        nn.predict(None, x)


# Misuse ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ma.masked_array(np.ones((60, 6)), mask=np.eye(60, 6)), "without a mask"),
        (np.array([["1"] * 6] * 60), r"x\.astype\(np\.float32\), .*np\.unique\(names, return_inv"),
        (np.array([["a"] * 6] * 60, object), r"np\.unique"),
        ({"x": 1}, "received a dict; pass arrays"),
        ((i for i in range(60)), r"a generator; make an array of it: np\.array\(list"),
        (np.ones((60, 6), complex), "array of numbers"),
        ([[1.0], [1.0, 2.0]], "array of numbers"),
        (None, "array of numbers"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(x, message):
    with pytest.raises(ValueError, match=message):
        trainer().fit(x, problem()[1])


def test_sparse_inputs_are_refused_with_the_remedy():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ValueError, match=r"x\.toarray\(\)"):
        trainer().fit(sparse.csr_array(problem()[0]), problem()[1])


@pytest.mark.parametrize(
    "setting",
    [
        *({"epochs": n} for n in (0, -1, "5", 2.0, None)),
        *({"batch_size": n} for n in (0, "16", 2.5)),
        *({"early_stopping": n} for n in (2.0, "3", True)),
        *({"clip_norm": n} for n in (0, -1, "1", np.nan)),
        *({"workers": n} for n in (0, 1.5, "2", None)),
        *({"checkpoint_every": n} for n in (0, 1.5, "2")),
        *({"metrics": n} for n in ([nn.accuracy], {"a": 1})),
        *({"callbacks": n} for n in (print, [1], "stop")),
        *({"schedule": n} for n in ("cosine", nn.CosineDecay)),
    ],
    ids=lambda setting: str(setting).split(" at 0x")[0],
)
def test_settings_of_another_kind_are_refused_by_name(setting):
    (name,) = setting
    run = trainer()
    with pytest.raises(ValueError, match=name):
        if name in ("epochs", "batch_size"):
            run.fit(*problem(), **setting)
        else:
            nn.Trainer(run.model, run.loss, run.optimizer, **setting)


@pytest.mark.parametrize("place", ["model", "loss", "optimizer"])
@pytest.mark.parametrize("wrong", [None, "adam", 3, nn.ReLU])
def test_parts_of_another_kind_are_refused_by_name(place, wrong):
    run = trainer()
    parts = {"model": run.model, "loss": run.loss, "optimizer": run.optimizer, place: wrong}
    with pytest.raises(ValueError, match=f"Trainer expected {place} to be"):
        nn.Trainer(**parts)


def test_no_standard_error_means_no_bar_and_not_no_training(monkeypatch):
    x, y = problem()
    run = trainer()
    run.progress = True
    monkeypatch.setattr(sys, "stderr", None)
    assert len(run.fit(x, y, epochs=2, rng=0)) == 2


class Editors:
    """What some editors put in the place of standard error."""

    def write(self, text):
        return len(text)


class NobodyReads(Editors):
    def write(self, text):
        raise BrokenPipeError

    def isatty(self):
        return True

    def flush(self):
        raise BrokenPipeError


@pytest.mark.parametrize("place", [Editors, NobodyReads])
def test_a_standard_error_that_cannot_be_written_to_is_no_reason_not_to_train(place, monkeypatch):
    x, y = problem()
    run = trainer()
    run.progress = True
    monkeypatch.setattr(sys, "stderr", place())
    assert len(run.fit(x, y, epochs=2, rng=0)) == 2


def test_early_stopping_never_prefers_nan():
    rule = nn.EarlyStopping(metric="train_loss")
    assert not rule.better(np.nan, than=None)
    assert not rule.better(np.nan, than=1.0)
    assert nn.EarlyStopping(metric="valid_f1").better(0.9, than=0.8)


def test_a_checkpoint_folder_that_cannot_be_written_to_fails_before_the_first_epoch(
    tmp_path, monkeypatch
):
    x, y = problem()

    def fail(dir):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("nnscratch.training.checks.TemporaryFile", fail)
    monkeypatch.setattr(Run, "epoch", lambda *_: pytest.fail("trained"))
    with pytest.raises(PermissionError, match=r"cannot be written to \(Permission denied\)"):
        trainer(checkpoint=tmp_path / "run.npz").fit(x, y, epochs=1)
    monkeypatch.undo()
    monkeypatch.setattr(Run, "epoch", lambda *_: pytest.fail("trained"))
    with pytest.raises(OSError, match="/proc cannot be written to"):  # root's, too
        trainer(checkpoint="/proc/run.npz").fit(x, y, epochs=1)
    with pytest.raises(OSError, match="/dev/null is no ordinary file"):
        trainer(checkpoint="/dev/null").fit(x, y, epochs=1)
    with pytest.raises(ValueError, match="checkpoint_every does nothing without a file"):
        trainer(checkpoint_every=3).fit(x, y, epochs=1)


# Resuming --------------------------------------------------------------------------------------


def test_a_run_goes_on_inside_an_epoch_bit_for_bit(tmp_path):
    x, y = problem()
    settings = {
        "augment": lambda x, rng: x + rng.normal(0, 0.1, x.shape).astype(x.dtype),
        "schedule": lambda o: nn.CosineDecay(o, 40),
        "checkpoint_every": 3,
    }
    whole = trainer(checkpoint=tmp_path / "whole.npz", **settings)
    expected = whole.fit(x, y, epochs=5, batch_size=8, rng=2)
    for end in (2, 3, 5, 11, 16, 17):

        class Ended(Exception):
            pass

        path = tmp_path / f"{end}.npz"
        part = trainer(checkpoint=path, **settings)
        steps = iter(range(end))

        def augment(x, rng, steps=steps):
            if next(steps, None) is None:
                raise Ended
            return settings["augment"](x, rng)

        part.augment = augment
        with pytest.raises(Ended):
            part.fit(x, y, epochs=5, batch_size=8, rng=2)
        again = trainer(rng=7, checkpoint=path, **settings)
        if end >= 3:
            again.resume()
            assert again.optimizer.steps == (
                end // 3 * 3
                if end < 8
                else max(end // 8 * 8, 8 + (end - 8) // 3 * 3 if end < 16 else 16)
            )
        history = again.fit(x, y, epochs=5, batch_size=8, rng=2)
        if end >= 3:
            assert_same(whole.model, again.model)
        assert history.steps["loss"] == expected.steps["loss"] or end < 3
        assert history["train_loss"] == expected["train_loss"] or end < 3


@pytest.mark.parametrize(
    ("then", "now", "message"),
    [
        ({}, {"optimizer": nn.SGD}, "optimizer: Adam then, SGD now"),
        (
            {"optimizer": lambda m: nn.SGD(m, momentum=0.9)},
            {"optimizer": lambda m: nn.SGD(m, momentum=0.5)},
            "momentum: 0.9 then, 0.5 now",
        ),
        (
            {"optimizer": lambda m: nn.SGD(m, groups={"*.b": {"weight_decay": 0.1}})},
            {"optimizer": nn.SGD},
            r"groups \*\.b",
        ),
        (
            {"schedule": lambda o: nn.CosineDecay(o, 30)},
            {"schedule": lambda o: nn.CosineDecay(o, 60)},
            "schedule's steps: 30 then, 60 now",
        ),
        ({"schedule": lambda o: nn.CosineDecay(o, 30)}, {}, "schedule: CosineDecay then, None now"),
    ],
)
def test_resuming_with_other_settings_is_refused_and_changes_nothing(tmp_path, then, now, message):
    x, y = problem()
    trainer(checkpoint=tmp_path / "run.npz", **then).fit(x, y, epochs=1, rng=0)
    run = trainer(**now)
    before, rate = run.model.params.copy(), run.optimizer.learning_rate
    with pytest.raises(ValueError, match=message):
        run.resume(tmp_path / "run.npz")
    for name, array in before.items():
        np.testing.assert_array_equal(run.model.params[name], array)
    assert (run.optimizer.steps, run.optimizer.learning_rate) == (0, rate)


def test_more_epochs_than_planned_keep_the_last_rate(tmp_path):
    x, y = problem()
    settings = {"schedule": lambda o: nn.CosineDecay(o, 12, final=1e-4)}
    trainer(checkpoint=tmp_path / "run.npz", **settings).fit(x, y, epochs=3, batch_size=16, rng=0)
    run = trainer(**settings)
    run.resume(tmp_path / "run.npz")
    history = run.fit(x, y, epochs=5, batch_size=16)
    assert history["learning_rate"][3:] == [1e-4, 1e-4]


def test_a_run_that_has_nothing_left_to_do_rewrites_nothing(tmp_path):
    x, y = problem()
    path = tmp_path / "run.npz"
    trainer(checkpoint=path).fit(x, y, epochs=2, rng=0)
    before = path.stat().st_mtime_ns, path.read_bytes()
    run = trainer(checkpoint=path)
    run.resume()
    run.fit(x, y, epochs=2)
    assert (path.stat().st_mtime_ns, path.read_bytes()) == before


def test_reduce_on_plateau_follows_the_history_and_a_checkpoint(tmp_path):
    x, y = problem()
    settings = {
        "schedule": lambda o: nn.ReduceOnPlateau(o, "train_loss", 0.5, patience=0, threshold=0.2)
    }
    whole = trainer(**settings)
    expected = whole.fit(x, y, epochs=8, batch_size=16, rng=0)
    assert expected["learning_rate"][-1] < expected["learning_rate"][0]
    trainer(checkpoint=tmp_path / "run.npz", **settings).fit(x, y, epochs=4, batch_size=16, rng=0)
    again = trainer(**settings)
    again.resume(tmp_path / "run.npz")
    history = again.fit(x, y, epochs=8, batch_size=16)
    assert history["learning_rate"] == expected["learning_rate"]
    assert_same(whole.model, again.model)


def test_a_run_killed_behind_the_last_step_of_an_epoch_goes_on(tmp_path):
    x, y = problem()
    options = {"checkpoint": tmp_path / "c.npz", "schedule": lambda o: nn.CosineDecay(o, 40)}
    whole = trainer(**options)
    expected = whole.fit(x, y, validation=(x, y), epochs=3, batch_size=16, rng=0)

    class Killed(Exception):
        pass

    def dies(self, when):
        raise Killed

    part = trainer(**options, checkpoint_every=4)  # of the four steps of an epoch
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Validation, "figures", dies)
        part.fit(x, y, validation=(x, y), epochs=3, batch_size=16, rng=0)
    resumed = trainer(rng=5, **options, checkpoint_every=4)
    resumed.resume()
    history = resumed.fit(x, y, validation=(x, y), epochs=3, batch_size=16)
    assert_same(whole.model, resumed.model)
    assert history["learning_rate"] == expected["learning_rate"]
    assert history["train_loss"] == expected["train_loss"]


@pytest.mark.parametrize(("setting", "value"), [("learning_rate", -1.0), ("learning_rate", "0.1")])
def test_a_setting_changed_to_nonsense_is_refused_before_the_next_epoch(setting, value):
    x, y = problem()
    run = trainer()
    setattr(run.optimizer, setting, value)
    before = run.model.params["1.W"].copy()
    with pytest.raises(ValueError, match=f"Adam expected {setting} >= 0, received {value!r}"):
        run.fit(x, y, epochs=1)
    np.testing.assert_array_equal(run.model.params["1.W"], before)
    changed = trainer(callbacks=[lambda t, values: setattr(t.optimizer, setting, value)])
    with pytest.raises(ValueError, match=f"Adam expected {setting} >= 0"):
        changed.fit(x, y, epochs=2)
    assert len(changed.history) == 1


def test_a_diagnosis_of_minibatches_is_refused_instead_of_left_out():
    x, y = problem()
    for data, options in (([(x, y)], {}), ((x, y), {"validation": lambda: [(x, y)]})):
        arguments = data if isinstance(data, tuple) else (data,)
        with pytest.raises(ValueError, match="diagnose looks at arrays of samples"):
            trainer(diagnose=True).fit(*arguments, epochs=1, **options)


@pytest.mark.parametrize(
    ("then", "now", "message"),
    [
        ({"validation": 0.1}, {}, "was validated; pass validation to fit again"),
        ({}, {"validation": 0.1}, "was not validated; leave out validation"),
        ({"validation": 0.1}, {"validation": 0.5}, r"held out validation=0\.1, now 0\.5"),
        ({"metrics": ("a",)}, {"metrics": ("b",)}, "has the metrics a, this trainer b"),
        ({"metrics": ("a",)}, {}, "has the metrics a, this trainer none"),
    ],
)
def test_a_resumed_run_records_what_it_did_before(tmp_path, then, now, message):
    x, y = problem()

    def run(metrics=(), validation=None):
        functions = {name: lambda prediction, target: 1.0 for name in metrics}
        made = trainer(checkpoint=tmp_path / "run.npz", metrics=functions)
        return made, {"x": x, "y": y, "validation": validation, "rng": 0}

    first, data = run(**then)
    first.fit(**data, epochs=2)
    second, data = run(**now)
    second.resume()
    before = second.model.params["1.W"].copy()
    with pytest.raises(ValueError, match=message):
        second.fit(**data, epochs=3)
    np.testing.assert_array_equal(second.model.params["1.W"], before)
    third, data = run(**then)
    third.resume()
    assert len(third.fit(**data, epochs=3)) == 3
