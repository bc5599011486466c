"""Callbacks: when they are called, the log line, and the average of the weights."""

import re

import numpy as np
import pytest

import nnscratch as nn
from tests.test_trainer_options import assert_same, problem, trainer


class Recorder(nn.Callback):
    """Writes down what it was called for, and the weights after each step."""

    def __init__(self):
        self.calls, self.weights, self.steps = [], [], []

    def begin(self, trainer):
        self.calls.append(("begin", len(trainer.history), trainer.epochs))

    def after_step(self, trainer):
        self.weights.append({k: w.astype("f8") for k, w in trainer.model.params.items()})
        self.steps.append(len(trainer.history.steps["loss"]))

    def __call__(self, trainer, values):
        self.calls.append(("epoch", len(trainer.history), trainer.history["train_loss"][-1]))
        assert values["train_loss"] == trainer.history["train_loss"][-1]

    def end(self, trainer):
        self.calls.append(("end", len(trainer.history)))


def with_batch_norm(rng=0, dtype="f4"):
    rng = np.random.default_rng(rng)
    layers = [nn.Linear(6, 8, rng=rng), nn.BatchNorm(8), nn.ReLU(), nn.Linear(8, 3, rng=rng)]
    return nn.Sequential(*layers).astype(dtype)


def averaged(model, average, *callbacks, rate=0.2, **options):
    callbacks = [average, *callbacks]
    optimizer = nn.SGD(model, rate, momentum=0.5)
    loss = nn.SoftmaxCrossEntropy()
    return nn.Trainer(model, loss, optimizer, callbacks=callbacks, progress=False, **options)


# When they are called --------------------------------------------------------------------------


def test_a_callback_is_called_before_after_each_step_after_each_epoch_and_in_the_end():
    x, y = problem()
    seen = Recorder()
    history = trainer(callbacks=[seen]).fit(x, y, epochs=2, batch_size=16, rng=0)
    losses = history["train_loss"]
    assert seen.calls == [
        ("begin", 0, 2),
        ("epoch", 1, losses[0]),
        ("epoch", 2, losses[1]),
        ("end", 2),
    ]
    assert seen.steps == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_end_is_told_where_a_run_fails_or_is_interrupted_and_where_a_later_one_cannot_begin():
    x, y = problem()

    class Stops(nn.Callback):
        def __init__(self, error):
            self.error = error

        def after_step(self, trainer):
            raise self.error

    class Cannot(nn.Callback):
        def begin(self, trainer):
            raise ValueError("no disk")

    for late, expected in ((Stops(RuntimeError("x")), RuntimeError), (Cannot(), ValueError)):
        seen = Recorder()
        with pytest.raises(expected):
            trainer(callbacks=[seen, late]).fit(x, y, epochs=2)
        assert seen.calls[-1] == ("end", 0)
    seen = Recorder()
    history = trainer(callbacks=[seen, Stops(KeyboardInterrupt())]).fit(x, y, epochs=2)
    assert history.stopped == "interrupted"
    assert seen.calls[-1] == ("end", 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"callbacks": print}, r"callbacks is a list of functions, .* callbacks=\[...\]"),
        ({"callbacks": nn.LogLine()}, "received LogLine alone"),
        ({"callbacks": "stop"}, "received str alone"),
        ({"callbacks": [nn.LogLine]}, r"received the class LogLine; make one: LogLine\(...\)"),
        ({"callbacks": [3]}, "are functions, received 3"),
        ({"metrics": [nn.accuracy]}, "metrics is a dict of name to function, received list"),
        ({"metrics": {"a": 0.5}}, "are functions, received 0.5"),
        ({"callbacks": [nn.WeightAverage(), nn.WeightAverage(0.9)]}, "pass one WeightAverage"),
    ],
)
def test_what_cannot_be_called_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        trainer(**options)


# A line for logs -------------------------------------------------------------------------------


def test_a_log_has_one_plain_line_per_epoch_with_every_column(capsys):
    x, y = problem()
    run = trainer(callbacks=[nn.LogLine()], metrics={"f1": lambda p, t: 0.25})
    history = run.fit(x, y, validation=0.2, epochs=11, rng=0)
    out, err = capsys.readouterr()
    assert err == ""
    lines = out.splitlines()
    assert len(lines) == 11
    for number, line in enumerate(lines, 1):
        assert re.fullmatch(r"[\x20-\x7e]+", line)
        fields = dict(field.split("=") for field in line.split(" "))
        assert fields.pop("epoch") == f"{number}/11"
        assert list(fields) == list(history)
        for name, value in fields.items():
            assert float(value) == pytest.approx(history[name][number - 1], rel=1e-3)


def test_lines_go_where_a_function_writes_them():
    x, y = problem()
    lines = []
    trainer(callbacks=[nn.LogLine(lines.append)]).fit(x, y, epochs=2, rng=0)
    assert [line.split()[0] for line in lines] == ["epoch=1/2", "epoch=2/2"]
    with pytest.raises(ValueError, match=r"for a file pass lambda line: print\(line, file=file"):
        nn.LogLine("train.log")


# The average of the weights --------------------------------------------------------------------


def test_the_plain_average_is_the_mean_over_the_epochs_from_the_first_that_counts():
    x, y = problem()
    model, seen, average = with_batch_norm(), Recorder(), nn.WeightAverage(start=3)
    averaged(model, average, seen).fit(x, y, epochs=7, batch_size=16, rng=0)
    assert average.count == 5
    for name, array in model.params.items():
        of_epochs = [seen.weights[4 * epoch + 3][name] for epoch in range(2, 7)]
        np.testing.assert_allclose(array, np.mean(of_epochs, axis=0), rtol=1e-6, atol=1e-9)


def test_the_exponential_average_forgets_by_its_decay():
    x, y = problem()
    model, seen, average = with_batch_norm(), Recorder(), nn.WeightAverage(decay=0.9)
    averaged(model, average, seen).fit(x, y, epochs=5, batch_size=16, rng=0)
    expected = dict(seen.weights[0])
    for weights in seen.weights[1:]:
        expected = {k: 0.9 * expected[k] + 0.1 * weights[k] for k in expected}
    assert average.count == 20
    for name, array in model.params.items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-6, atol=1e-9)


@pytest.mark.torch
@pytest.mark.parametrize("decay", [None, 0.95])
def test_averages_and_batch_statistics_are_those_of_torchs_averaged_model(decay):
    torch = pytest.importorskip("torch")
    swa = torch.optim.swa_utils
    x, y = problem()
    model, seen = with_batch_norm(dtype="f8"), Recorder()
    averaged(model, nn.WeightAverage(decay), seen).fit(x, y, epochs=6, batch_size=15, rng=0)
    twin = torch.nn.Sequential(
        torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 3)
    ).double()
    its_average = swa.AveragedModel(
        twin, avg_fn=None if decay is None else swa.get_ema_avg_fn(decay)
    )
    for weights in seen.weights[3::4] if decay is None else seen.weights:
        with torch.no_grad():
            for array, tensor in zip(weights.values(), twin.parameters(), strict=True):
                tensor.copy_(torch.tensor(array))
        its_average.update_parameters(twin)
    for array, tensor in zip(model.params.values(), its_average.parameters(), strict=True):
        np.testing.assert_allclose(array, tensor.detach().numpy(), rtol=1e-11)
    data = torch.tensor(x.astype("f8"))
    swa.update_bn([data[i : i + 15] for i in range(0, 60, 15)], its_average)
    its_norm = its_average.module[1]
    mean, variance = model.buffers["1.running_mean"], model.buffers["1.running_var"]
    np.testing.assert_allclose(mean, its_norm.running_mean.numpy(), rtol=1e-11)
    np.testing.assert_allclose(variance, its_norm.running_var.numpy(), rtol=1e-11)
    expected = its_average.eval()(data).detach().numpy()
    np.testing.assert_allclose(nn.predict(model, x.astype("f8")), expected, rtol=1e-9, atol=1e-12)


def test_an_average_changes_nothing_of_the_training_and_restore_gives_its_weights_back():
    x, y = problem()
    plain, model = with_batch_norm(), with_batch_norm()
    average = nn.WeightAverage(decay=0.9)
    held_out = (x[:20], y[:20])
    nn.Trainer(
        plain, nn.SoftmaxCrossEntropy(), nn.SGD(plain, 0.2, momentum=0.5), progress=False
    ).fit(x, y, held_out, epochs=5, batch_size=16, rng=0)
    run = averaged(model, average)
    run.fit(x, y, held_out, epochs=5, batch_size=16, rng=0)
    kept = model.params.copy() | model.buffers.copy()
    assert any((plain.params[k] != w).any() for k, w in model.params.items())
    average.restore()
    for name, array in {**plain.params, **plain.buffers}.items():
        np.testing.assert_array_equal(array, {**model.params, **model.buffers}[name])
    average.apply()
    for name, array in {**model.params, **model.buffers}.items():
        np.testing.assert_array_equal(array, kept[name])


@pytest.mark.parametrize("decay", [None, 0.9])
def test_validation_looks_at_the_averaged_weights_with_statistics_of_their_own(decay):
    x, y = problem()
    for epochs in (1, 3, 4):
        model = with_batch_norm()
        history = averaged(model, nn.WeightAverage(decay)).fit(
            x, y, (x[:25], y[:25]), epochs=epochs, batch_size=16, rng=0
        )
        loss, accuracy = nn.evaluate(model, nn.SoftmaxCrossEntropy(), x[:25], y[:25])
        assert history["valid_loss"][-1] == pytest.approx(loss, rel=1e-6)
        assert history["valid_accuracy"][-1] == accuracy


def test_early_stopping_keeps_the_averaged_weights_of_the_best_epoch():
    x, y = problem()
    model = with_batch_norm()
    run = averaged(model, nn.WeightAverage(0.8), early_stopping=nn.EarlyStopping(None), rate=1.5)
    history = run.fit(x[:30], y[:30], (x[30:], y[30:]), epochs=12, batch_size=8, rng=0)
    best = min(history["valid_loss"])
    assert best < history["valid_loss"][-1]
    loss, _ = nn.evaluate(model, nn.SoftmaxCrossEntropy(), x[30:], y[30:])
    assert loss == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("decay", [None, 0.9])
def test_an_average_goes_on_from_a_checkpoint_bit_for_bit(tmp_path, decay):
    x, y = problem()

    def run(epochs, rng=0, resume=False):
        model = with_batch_norm(rng)
        average = nn.WeightAverage(decay, start=2)
        trainer = averaged(model, average, checkpoint=tmp_path / "run.npz")
        if resume:
            trainer.resume()
        trainer.fit(x, y, 0.2, epochs=epochs, batch_size=16, rng=0)
        return model, average.count

    run(3)
    part, count = run(6, rng=1, resume=True)
    whole, expected = run(6)
    assert count == expected == (5 if decay is None else 15)
    assert_same(whole, part)
    model = with_batch_norm()
    other = averaged(model, nn.WeightAverage(0.5), checkpoint=tmp_path / "run.npz")
    with pytest.raises(ValueError, match=r"callback: WeightAverage\(.* then, .*0.5, start=1\) now"):
        other.resume()


@pytest.mark.parametrize("workers", [2, "auto"])
def test_averages_of_shared_work_are_those_of_one_process(workers):
    pytest.importorskip("threadpoolctl")
    x, y = problem()
    models, histories = [], []
    for shared in (1, workers):
        model = with_batch_norm(dtype="f8")
        run = averaged(model, nn.WeightAverage(0.9), workers=shared)
        histories.append(run.fit(x, y, 0.2, epochs=3, batch_size=16, rng=0))
        models.append({**model.params, **model.buffers})
    np.testing.assert_allclose(histories[0]["valid_loss"], histories[1]["valid_loss"], rtol=1e-9)
    for name, array in models[0].items():
        np.testing.assert_allclose(array, models[1][name], rtol=1e-9, atol=1e-12)


def test_an_average_of_steps_at_a_high_rate_is_better_than_where_they_end():
    digits = nn.load_dataset("digits")
    better = 0
    for seed in range(4):
        model = nn.mlp([64, 32, 10], rng=seed)
        average = nn.WeightAverage(decay=0.98)
        run = averaged(model, average, rate=0.6)
        run.fit(digits.x_train, digits.y_train, epochs=10, batch_size=16, rng=seed)
        loss = nn.SoftmaxCrossEntropy()
        with_average, _ = nn.evaluate(model, loss, digits.x_test, digits.y_test)
        average.restore()
        better += with_average < nn.evaluate(model, loss, digits.x_test, digits.y_test)[0]
    assert better == 4


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.WeightAverage(1.0), ValueError, r"decay in \(0, 1\) or None"),
        (lambda: nn.WeightAverage(True), ValueError, r"decay in \(0, 1\) or None"),
        (lambda: nn.WeightAverage(start=0), ValueError, "an epoch, from 1 on"),
        (lambda: nn.WeightAverage().restore(), RuntimeError, "call it after fit"),
        (lambda: nn.WeightAverage().apply(), RuntimeError, "averaged nothing yet"),
    ],
)
def test_misuse_of_an_average_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_an_average_that_would_begin_after_the_end_is_refused_before_the_first_epoch():
    x, y = problem()
    run = averaged(with_batch_norm(), nn.WeightAverage(start=9))
    with pytest.raises(ValueError, match="begins after the last epoch, 5; begin earlier"):
        run.fit(x, y, epochs=5)
    assert run.optimizer.steps == 0


# BatchNorm's statistics ------------------------------------------------------------------------


def test_statistics_counted_anew_are_the_means_over_the_batches():
    x, _ = problem()
    model = nn.Sequential(nn.BatchNorm(6), nn.BatchNorm(6, momentum=None, affine=False))
    model.astype("f8")
    model.buffers["0.running_mean"] = 100
    model.params["0.gamma"] = np.arange(1, 7)
    for form in (x, (x,), [(x[i : i + 20], None) for i in (0, 20, 40)]):
        if isinstance(form, list):
            form = [(a, np.zeros(20)) for a, _ in form]
        nn.update_batch_norm(model, form, batch_size=20)
        parts = x.astype("f8").reshape(3, 20, 6)
        np.testing.assert_allclose(model.buffers["0.running_mean"], parts.mean((0, 1)))
        expected = parts.var(axis=1, ddof=1).mean(0)
        np.testing.assert_allclose(model.buffers["0.running_var"], expected)
        assert model.buffers["1.batches"] == 3
        assert model.training and model[0].counted is None


def test_a_layer_that_is_used_twice_counts_both_uses():
    norm = nn.BatchNorm(6).astype("f8")
    model = nn.Sequential(norm, nn.Square(), norm)
    x, _ = problem()
    nn.update_batch_norm(model, x, batch_size=60)
    first = x.astype("f8")
    second = ((first - first.mean(0)) / np.sqrt(first.var(0) + 1e-5)) ** 2
    expected = (first.mean(0) + second.mean(0)) / 2
    np.testing.assert_allclose(norm.buffers["running_mean"], expected, atol=1e-12)
