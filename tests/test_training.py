"""The trainer: what a run does, how it ends, and that it can go on as if unbroken."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.files import atomic_write
from nnscratch.training import EarlyStopping, evaluate
from nnscratch.training.validation import Validation


def problem(samples=90, features=6, classes=3, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, samples)
    x = rng.normal(size=(samples, features)) + 2 * np.eye(classes, features)[y]
    return x.astype(np.float32), y


def make(dropout=0.0, seed=0, optimizer=nn.Adam, schedule=None, **options):
    rng = np.random.default_rng(seed)
    model = nn.mlp([6, 8, 3], dropout=dropout, rng=rng)
    chosen = optimizer(model, learning_rate=0.01)
    made = schedule(chosen) if schedule else None
    options.setdefault("progress", False)
    return nn.Trainer(model, nn.SoftmaxCrossEntropy(), chosen, made, **options)


def weights(model):
    return {name: array.copy() for name, array in model.params.items()}


def assert_equal(first, second):
    for name in first:
        np.testing.assert_array_equal(first[name], second[name], err_msg=name)


def test_training_lowers_the_loss_and_records_every_epoch():
    x, y = problem()
    history = make().fit(x, y, validation=problem(seed=1), epochs=12, batch_size=16, rng=0)
    assert len(history) == 12
    assert list(history.keys()) == [
        "train_loss",
        "train_accuracy",
        "valid_loss",
        "valid_accuracy",
        "learning_rate",
        "seconds",
    ]
    assert history["train_loss"][-1] < 0.7 * history["train_loss"][0]
    assert history["valid_accuracy"][-1] > 0.7
    assert history.stopped == "finished"


def test_one_epoch_equals_the_loop_written_by_hand():
    x, y = problem(samples=50)
    fitted = make(optimizer=nn.SGD)
    history = fitted.fit(x, y, epochs=2, batch_size=16, rng=5)

    by_hand = make(optimizer=nn.SGD)
    model, loss, rng = by_hand.model, by_hand.loss, np.random.default_rng(5)
    for epoch in range(2):
        total = right = 0.0
        for x_batch, y_batch in nn.minibatches(x, y, 16, rng):
            prediction = model.forward(x_batch)
            total += loss.forward(prediction, y_batch) * len(y_batch)
            right += np.sum(prediction.argmax(1) == y_batch)
            _, grads = model.backward(loss.backward())
            by_hand.optimizer.step(grads)
        assert history["train_loss"][epoch] == pytest.approx(total / 50, abs=0)
        assert history["train_accuracy"][epoch] == right / 50
    assert_equal(weights(fitted.model), weights(model))


def test_the_same_seed_gives_the_same_weights_bit_for_bit():
    x, y = problem()
    runs = []
    for _ in range(2):
        run = make(dropout=0.3, seed=4)
        run.fit(x, y, epochs=3, batch_size=16, rng=9)
        runs.append(weights(run.model))
    assert_equal(*runs)
    other = make(dropout=0.3, seed=4)
    other.fit(x, y, epochs=3, batch_size=16, rng=10)
    assert not np.array_equal(other.model.params["1.W"], runs[0]["1.W"])


def test_a_sum_loss_is_recorded_per_sample():
    x, y = problem()
    model = nn.mlp([6, 3], rng=0)
    optimizer = nn.SGD(model, learning_rate=0.0)
    for reduction in ("mean", "sum"):
        loss = nn.SoftmaxCrossEntropy(reduction=reduction)
        history = nn.Trainer(model, loss, optimizer, progress=False).fit(x, y, epochs=1, rng=0)
        assert history["train_loss"][0] == pytest.approx(evaluate(model, loss, x, y)[0], rel=1e-5)


def test_batches_that_count_differently_have_the_mean_of_the_whole():
    """Padded sequences: few labels of some batches count, and classes weigh differently."""
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(9, 4, 3)), rng.integers(0, 3, (9, 4))
    labels[rng.random((9, 4)) < 0.6] = -1
    labels[4:6] = -1  # a batch of which nothing counts
    loss = nn.SoftmaxCrossEntropy([1, 2, 5], ignore_index=-1)
    value, accuracy = nn.evaluate(nn.Identity(), loss, scores, labels, batch_size=2)
    counted = labels != -1
    assert value == pytest.approx(loss.forward(scores, labels))
    assert accuracy == (scores.argmax(-1) == labels)[counted].mean()

    labels[4:6, 0] = 2
    model = nn.LayerNorm(3).astype("f8")
    trainer = nn.Trainer(model, loss, nn.SGD(model, 0.0), progress=False)
    history = trainer.fit(scores, labels, epochs=1, batch_size=2, rng=0)
    value, accuracy = nn.evaluate(model, loss, scores, labels)
    assert history["train_loss"][0] == pytest.approx(value)
    assert history["train_accuracy"][0] == pytest.approx(accuracy)


def test_a_loss_of_one_value_per_sample_is_evaluated_but_not_trained_on():
    x, y = problem()
    model, each = nn.Linear(6, 3, rng=0), nn.SoftmaxCrossEntropy(reduction="none")
    found = nn.evaluate(model, each, x, y, batch_size=20)
    assert found == pytest.approx(nn.evaluate(model, nn.SoftmaxCrossEntropy(), x, y))
    with pytest.raises(ValueError, match=r"one number, .*reduction=.none.\); leave out"):
        nn.Trainer(model, each, nn.SGD(model))


def test_regression_has_no_accuracy_column():
    x, _ = problem()
    model = nn.Linear(6, 2, rng=0)
    run = nn.Trainer(model, nn.MSELoss(), nn.SGD(model, 0.01), progress=False)
    history = run.fit(x, x[:, :2], validation=(x, x[:, :2]), epochs=60, batch_size=16, rng=0)
    assert list(history.keys()) == ["train_loss", "valid_loss", "learning_rate", "seconds"]
    assert history["valid_loss"][-1] < 0.05


def test_binary_targets_have_an_accuracy():
    x, y = problem(classes=2)
    model = nn.Linear(6, 1, rng=0)
    run = nn.Trainer(model, nn.BCEWithLogits(), nn.SGD(model, 0.5), progress=False)
    history = run.fit(x, y[:, None], epochs=20, rng=0)
    assert history["train_accuracy"][-1] > 0.85


def test_the_input_gradient_is_not_computed():
    class Watched(nn.Linear):
        def backward_pass(self, dy, x):
            raise AssertionError("nobody reads dx of the first layer")

    x, y = problem()
    model = nn.Sequential(nn.Flatten(), Watched(6, 4, rng=0), nn.ReLU(), nn.Linear(4, 3, rng=1))
    nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False).fit(x, y, epochs=1)


def test_fit_ends_in_evaluation_mode_and_evaluate_keeps_the_mode():
    x, y = problem()
    run = make(dropout=0.5)
    run.model[3].eval()
    run.fit(x, y, validation=(x, y), epochs=1, rng=0)
    assert not any(layer.training for _, layer in run.model.walk())
    run.model.train()
    run.model[3].eval()
    first = evaluate(run.model, run.loss, x, y)
    assert first == evaluate(run.model, run.loss, x, y)
    assert run.model.training
    assert not run.model[3].training
    assert evaluate(run.model, run.loss, x, y, batch_size=7) == pytest.approx(first, rel=1e-5)


def test_a_schedule_steps_once_per_minibatch():
    x, y = problem(samples=50)
    run = make(schedule=lambda optimizer: nn.StepDecay(optimizer, every=4, factor=0.5))
    history = run.fit(x, y, epochs=2, batch_size=16, rng=0)  # 4 steps an epoch
    assert history["learning_rate"] == [0.01, 0.005]


def test_clipping_bounds_the_step():
    x, y = problem()
    model = nn.Linear(6, 3, rng=0).astype("f8")
    before = weights(model)
    run = nn.Trainer(
        model,
        nn.SoftmaxCrossEntropy(reduction="sum"),
        nn.SGD(model, 1.0),
        clip_norm=0.01,
        progress=False,
    )
    run.fit(x, y, epochs=1, batch_size=90, rng=0)
    step = np.concatenate([(model.params[name] - before[name]).ravel() for name in before])
    assert np.linalg.norm(step) == pytest.approx(0.01)


# Early stopping ------------------------------------------------------------------------------


def _with_values(monkeypatch, losses):
    """Let the validation loss follow a script; the weights of each epoch are kept."""
    seen = []

    def scripted(self, when):
        seen.append(weights(self.trainer.model))
        return {"valid_loss": losses[len(seen) - 1], "valid_accuracy": 0.5}

    monkeypatch.setattr(Validation, "figures", scripted)
    return seen


def test_early_stopping_ends_after_its_patience_with_the_best_weights(monkeypatch):
    x, y = problem()
    seen = _with_values(monkeypatch, [5.0, 3.0, 4.0, 3.5, 3.2, 1.0])
    run = make(early_stopping=3)
    history = run.fit(x, y, validation=(x, y), epochs=6, rng=0)
    assert history["valid_loss"] == [5.0, 3.0, 4.0, 3.5, 3.2]
    assert history.stopped == "early stopping"
    assert_equal(weights(run.model), seen[1])


def test_patience_none_only_keeps_the_best_weights(monkeypatch):
    x, y = problem()
    seen = _with_values(monkeypatch, [3.0, 1.0, 2.0, 2.0])
    run = make(early_stopping=EarlyStopping(patience=None))
    assert len(run.fit(x, y, validation=(x, y), epochs=4, rng=0)) == 4
    assert_equal(weights(run.model), seen[1])


def test_without_early_stopping_the_last_weights_stay(monkeypatch):
    x, y = problem()
    seen = _with_values(monkeypatch, [1.0, 2.0, 3.0])
    run = make()
    run.fit(x, y, validation=(x, y), epochs=3, rng=0)
    assert_equal(weights(run.model), seen[-1])


def test_an_accuracy_is_better_when_higher_and_min_delta_counts():
    rule = EarlyStopping(metric="valid_accuracy", min_delta=0.02)
    assert rule.better(0.90, than=0.87)
    assert not rule.better(0.88, than=0.87)
    assert not rule.better(0.80, than=0.87)


@pytest.mark.parametrize(
    "settings", [{"patience": 0}, {"metric": "test_loss"}, {"min_delta": -1}, {"min_delta": np.nan}]
)
def test_early_stopping_refuses_bad_settings(settings):
    with pytest.raises(ValueError, match=next(iter(settings))):
        EarlyStopping(**settings)


def test_early_stopping_without_validation_is_refused_before_training():
    x, y = problem()
    run = make(early_stopping=2)
    before = weights(run.model)
    with pytest.raises(ValueError, match="pass validation="):
        run.fit(x, y, epochs=3)
    assert_equal(weights(run.model), before)


# What goes wrong -----------------------------------------------------------------------------


def test_a_learning_rate_that_explodes_is_named_with_the_layer():
    x, y = problem()
    model = nn.Sequential(nn.Linear(6, 8, rng=0), nn.Softplus(), nn.Linear(8, 3, rng=1))
    run = nn.Trainer(model, nn.MSELoss(), nn.SGD(model, 1e30), progress=False)
    with pytest.raises(RuntimeError, match=r"epoch 1, step \d+: .*layer \d.*Linear.*clip_norm"):
        run.fit(x, np.eye(3, dtype=np.float32)[y], epochs=9, batch_size=16, rng=0)


def test_the_first_layer_with_nan_is_named_inside_nested_containers():
    class Broken(nn.Layer):
        def forward_pass(self, x):
            return x * np.float32(np.nan), None

    x, y = problem()
    inner = nn.Sequential(nn.ReLU(), Broken())
    model = nn.Sequential(nn.Linear(6, 6, rng=0), inner, nn.Linear(6, 3, rng=0))
    run = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model), progress=False)
    with pytest.raises(RuntimeError, match=r"layer 1\.1, Broken\(\)"):
        run.fit(x, y, epochs=1)


def test_nan_in_the_data_is_not_blamed_on_a_layer():
    x, y = problem()
    x[17, 2] = np.nan
    with pytest.raises(RuntimeError, match="the input itself holds NaN"):
        make().fit(x, y, epochs=1)


def test_weights_ruined_by_the_last_step_of_an_epoch_are_found():
    x, y = problem(samples=16)
    model = nn.Linear(6, 3, rng=0)
    run = nn.Trainer(model, nn.MSELoss("sum"), nn.SGD(model, 1e38), progress=False)
    with pytest.raises(RuntimeError, match=r"after epoch 1: the weights are not finite"):
        run.fit(x, 1e3 * np.eye(3, dtype=np.float32)[y], epochs=1, batch_size=16)


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda x, y: (x[:0], y[:0]), "no sample"),
        (lambda x, y: (x, y[:5]), "same first axis"),
        (lambda x, y: (x, y.astype(float)), "integer labels"),
        (lambda x, y: (x, y + 1), r"labels in 0\.\.2 for 3 classes, received 3"),
        (lambda x, y: (x[:, :5], y), r"Linear\(6, 8\) expected"),
    ],
)
def test_data_that_does_not_fit_is_refused(break_it, message):
    with pytest.raises(ValueError, match=message):
        make().fit(*break_it(*problem()), epochs=1)


def test_parts_that_do_not_belong_together_are_refused(tmp_path):
    one, other = make(), make()
    with pytest.raises(ValueError, match="another model"):
        nn.Trainer(one.model, one.loss, other.optimizer)
    with pytest.raises(ValueError, match="another optimizer"):
        nn.Trainer(one.model, one.loss, one.optimizer, nn.CosineDecay(other.optimizer, 9))
    with pytest.raises(ValueError, match="clip_norm"):
        make(clip_norm=0.0)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        make(checkpoint=tmp_path / "nowhere" / "c.npz").fit(*problem(), epochs=1)
    with pytest.raises(ValueError, match="batch_size"):
        make().fit(*problem(), epochs=1, batch_size=0)


# Interruption and resuming -------------------------------------------------------------------


class Interrupting(nn.Identity):
    """Presses Ctrl-C at a certain forward pass."""

    def __init__(self, at):
        self.at, self.calls = at, 0

    def forward_pass(self, x):
        self.calls += 1
        if self.calls == self.at:
            raise KeyboardInterrupt
        return super().forward_pass(x)


def test_ctrl_c_ends_the_run_with_the_finished_epochs(capsys):
    x, y = problem(samples=64)
    model = nn.Sequential(Interrupting(at=11), nn.Linear(6, 3, rng=0))
    run = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.SGD(model))
    history = run.fit(x, y, epochs=9, batch_size=16)  # 4 steps an epoch
    assert len(history) == 2
    assert history.stopped == "interrupted"
    assert "interrupted in epoch 3" in capsys.readouterr().err


@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Adam, nn.RMSprop])
@pytest.mark.parametrize("stop", [1, 3])
def test_a_resumed_run_ends_bit_for_bit_like_an_unbroken_one(tmp_path, optimizer, stop):
    x, y = problem()

    def start(name):
        return make(
            dropout=0.4,
            optimizer=optimizer,
            schedule=lambda chosen: nn.CosineDecay(chosen, 30),
            early_stopping=EarlyStopping(patience=None),
            checkpoint=tmp_path / name,
        )

    settings = {"validation": problem(seed=1), "batch_size": 16}
    whole = start("whole.npz")
    expected = whole.fit(x, y, epochs=5, rng=2, **settings)
    start("part.npz").fit(x, y, epochs=stop, rng=2, **settings)
    resumed = start("part.npz")
    assert resumed.resume() == stop
    history = resumed.fit(x, y, epochs=5, rng=2, **settings)
    assert_equal(weights(whole.model), weights(resumed.model))
    for column in ("train_loss", "valid_loss", "learning_rate"):
        assert history[column] == expected[column]


@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Adam, nn.RMSprop])
def test_a_run_in_float16_learns_as_in_float32_and_resumes_bit_for_bit(tmp_path, optimizer):
    x, y = problem()

    def start(dtype="f2", **options):
        run = make(optimizer=optimizer, clip_norm=5.0, **options)
        run.model.astype(dtype)
        return run

    whole = start()
    history = whole.fit(x, y, epochs=20, batch_size=16, rng=2)
    wide = start("f4").fit(x, y, epochs=20, batch_size=16, rng=2)
    np.testing.assert_allclose(history["train_loss"], wide["train_loss"], rtol=0.03)
    start(checkpoint=tmp_path / "run.npz").fit(x, y, epochs=7, batch_size=16, rng=2)
    resumed = start(checkpoint=tmp_path / "run.npz")
    assert resumed.resume() == 7
    assert resumed.fit(x, y, epochs=20, batch_size=16)["train_loss"] == history["train_loss"]
    assert whole.model.params["1.W"].dtype == np.float16
    assert_equal(weights(whole.model), weights(resumed.model))


def test_any_bit_generator_resumes(tmp_path):
    x, y = problem()
    for bits in (np.random.MT19937, np.random.Philox):
        whole = make(optimizer=nn.SGD)
        whole.fit(x, y, epochs=3, batch_size=16, rng=np.random.Generator(bits(3)))
        path = tmp_path / bits.__name__
        part = make(optimizer=nn.SGD, checkpoint=path)
        part.fit(x, y, epochs=1, batch_size=16, rng=np.random.Generator(bits(3)))
        resumed = make(optimizer=nn.SGD, checkpoint=path)
        resumed.resume()
        resumed.fit(x, y, epochs=3, batch_size=16)
        assert_equal(weights(whole.model), weights(resumed.model))


def test_a_checkpoint_of_another_run_is_refused_and_changes_nothing(tmp_path):
    x, y = problem()
    make(checkpoint=tmp_path / "adam.npz").fit(x, y, epochs=1, rng=0)
    nn.save(make().model, tmp_path / "model.npz")
    (tmp_path / "text.npz").write_text("hello")
    run = make(optimizer=nn.SGD)
    before = weights(run.model)
    with pytest.raises(ValueError, match="optimizer: Adam then, SGD now"):
        run.resume(tmp_path / "adam.npz")
    with pytest.raises(ValueError, match=r"a saved model, which nnscratch\.load reads"):
        run.resume(tmp_path / "model.npz")
    with pytest.raises(ValueError, match="damaged"):
        run.resume(tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError):
        run.resume(tmp_path / "missing.npz")
    with pytest.raises(ValueError, match="needs a path"):
        run.resume()
    larger = nn.mlp([6, 9, 3], rng=0)
    run = nn.Trainer(larger, nn.SoftmaxCrossEntropy(), nn.Adam(larger, 0.01), progress=False)
    with pytest.raises(ValueError, match=r"model/1\.W is \(8, 6\), expected \(9, 6\)"):
        run.resume(tmp_path / "adam.npz")
    assert_equal(weights(make().model), before)


# What the user sees --------------------------------------------------------------------------


def test_progress_prints_one_line_per_epoch_without_a_terminal(capsys):
    x, y = problem()
    make(progress=True).fit(x, y, validation=(x, y), epochs=2, rng=0)
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert captured.out == ""
    assert len(lines) == 2
    for word in ("epoch 2/2", "loss ", "accuracy ", "valid loss ", "valid accuracy ", " s"):
        assert word in lines[1]


def test_no_progress_prints_nothing(capsys):
    make(progress=False).fit(*problem(), epochs=2, rng=0)
    assert capsys.readouterr() == ("", "")


def test_what_a_killed_run_left_half_written_is_gone_with_the_next(tmp_path):
    target = tmp_path / "run.npz"
    with pytest.raises(KeyboardInterrupt), atomic_write(target) as file:
        left = next(tmp_path.glob(".*.tmp"))
        file.write(b"half")
        file.flush()
        kept = left.read_bytes()
        raise KeyboardInterrupt
    left.write_bytes(kept)  # as a kill leaves it
    others = tmp_path / ".0123456789abcdef.tmp"
    others.write_bytes(b"of another file")
    make(checkpoint=target).fit(*problem(), epochs=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [others.name, "run.npz"]
