"""Mistakes that users make with a trainer: each is named before the first epoch, with a remedy."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.training.run import Run
from tests.test_trainer_options import problem, trainer

X, Y = problem()


def graph_of_two():
    u, v = nn.Input("u"), nn.Input("v")
    both = nn.Linear(3, 8, rng=0)(u) + nn.Linear(3, 8, rng=1)(v)
    return nn.Graph([u, v], nn.Linear(8, 3, rng=2)(nn.ReLU()(both)))


def two_inputs():
    model = graph_of_two()
    run = nn.Trainer(model, nn.SoftmaxCrossEntropy(), nn.Adam(model, 0.01), progress=False)
    return run, (X[:, :3], X[:, 3:])


def generator():
    return nn.minibatches(X, Y, 16)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": -1}, "epochs is a whole number of at least 1, received -1"),
        ({"batch_size": 0}, "batch_size of at least 1, a whole number, received 0"),
        ({"x": [X[:, :3], X[:, 3:]]}, r"several inputs are a tuple, x=\(u, v\)"),
        ({"y": None}, r"fit received x without y: pass fit\(x, y\)"),
        ({"x": X[:50]}, r"received \[50, 60\] rows; give all of them the same first axis"),
        ({"x": generator, "y": None, "validation": 0.1}, "a share of arrays .* beside minibatches"),
        ({"x": generator(), "y": None}, "pass the function that makes it, without calling it"),
        ({"sample_weight": {0: 1.0}}, r"weights of classes are the loss's: class_weights=\[...\]"),
        ({"sample_weight": "balanced"}, "one number for each sample, received str"),
        ({"sample_weight": np.ones(59)}, r"received \[60, 60, 59\] rows"),
        ({"validation": 10}, r"validation is \(x, y\), or a share such as 0.1, received 10"),
        ({"validation": X}, r"validation is \(x, y\), or a share such as 0.1, received ndarray"),
        ({"y": Y + 1}, "labels in 0..2 for 3 classes, received 3"),
        ({"y": Y.astype(float)}, r"use labels.astype\(np.int64\)"),
    ],
)
def test_mistakes_in_what_fit_is_given_are_named(settings, message):
    run = trainer()
    before = run.model.params.copy()
    with pytest.raises(ValueError, match=message):
        run.fit(**({"x": X, "y": Y, "epochs": 1, "batch_size": 60} | settings))
    for name, array in before.items():
        np.testing.assert_array_equal(run.model.params[name], array)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"early_stopping": True}, "a patience in epochs, such as 5, .* received True"),
        ({"early_stopping": "3"}, "a patience in epochs"),
        ({"early_stopping": 2.5}, "a patience in epochs"),
        ({"early_stopping": nn.EarlyStopping}, "a patience in epochs"),
        ({"early_stopping": 0}, "patience is at least 1"),
        ({"clip_norm": "1"}, "clip_norm is positive or None, received '1'"),
        ({"clip_norm": True}, "clip_norm is positive or None, received True"),
        ({"clip_norm": np.nan}, "clip_norm is positive or None, received nan"),
        ({"metrics": {"my f1": max}}, "a word such as top5, received 'my f1'"),
        ({"metrics": {3: max}}, "a word such as top5, received 3"),
        ({"metrics": {"loss": max}}, "loss is recorded by itself"),
        ({"metrics": {"f1": lambda prediction: 0}}, r"a function of \(prediction, target\)"),
        ({"callbacks": [lambda trainer: 0]}, r"a function of \(trainer, values\); <lambda> is not"),
    ],
)
def test_mistakes_in_settings_are_named_where_they_are_made(settings, message):
    with pytest.raises(ValueError, match=message):
        trainer(**settings)


def test_parts_that_were_not_made_are_named_with_what_makes_them():
    model, loss = nn.mlp([6, 8, 3], rng=0), nn.SoftmaxCrossEntropy()
    optimizer = nn.Adam(model)
    for parts, message in (
        ((model, loss, nn.Adam), r"received the class Adam; make one: Adam\(model\)"),
        ((model, nn.SoftmaxCrossEntropy, optimizer), r"make one: SoftmaxCrossEntropy\(\)"),
        ((model, loss, optimizer, "cosine"), r"nn.CosineDecay\(optimizer, steps=1000\), received"),
        ((model, loss, optimizer, nn.CosineDecay), "received the class CosineDecay"),
        ((model, loss, optimizer, nn.CosineDecay(nn.SGD(model), 9)), "for another optimizer"),
    ):
        with pytest.raises(ValueError, match=message):
            nn.Trainer(*parts)


def test_what_would_fail_after_the_first_epoch_fails_before_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "epoch", lambda *_: pytest.fail("trained"))
    for settings, error, message in (
        ({"checkpoint": tmp_path}, IsADirectoryError, "is a folder; name a file in it"),
        (
            {"early_stopping": nn.EarlyStopping(metric="valid_f2")},
            ValueError,
            "valid_f2 is looked at, of which there is no metric; there are loss, accuracy",
        ),
        (
            {"schedule": lambda o: nn.ReduceOnPlateau(o, "train_f2")},
            ValueError,
            "train_f2 is looked at",
        ),
    ):
        with pytest.raises(error, match=message):
            trainer(**settings).fit(X, Y, 0.2, epochs=1)


def test_an_answer_that_is_not_stop_is_no_wish_unheard():
    with pytest.raises(ValueError, match=r"may return \"stop\", to end the run; it said 'Stop'"):
        trainer(callbacks=[lambda trainer, values: "Stop"]).fit(X, Y, epochs=2)
    history = trainer(callbacks=[lambda trainer, values: np.ones(3)]).fit(X, Y, epochs=2)
    assert len(history) == 2


def test_an_error_inside_a_metric_says_which():
    run = trainer(metrics={"f1": lambda prediction, target: nn.accuracy(target, prediction)})
    with pytest.raises(ValueError) as error:
        run.fit(X, Y, epochs=1)
    assert error.value.__notes__ == ["in the metric 'f1'"]


# Several inputs --------------------------------------------------------------------------------


def test_a_graph_of_two_inputs_is_trained_weighted_validated_and_asked():
    run, data = two_inputs()
    weight = np.ones(60)
    history = run.fit(data, Y, 0.2, epochs=40, batch_size=16, rng=0, sample_weight=weight)
    assert history["valid_accuracy"][-1] > 0.6
    assert not any(layer.training for _, layer in run.model.walk())
    scores = nn.predict(run.model, data, batch_size=7)
    np.testing.assert_allclose(scores, run.model.forward(*data), atol=1e-6)
    loss, accuracy = nn.evaluate(run.model, nn.SoftmaxCrossEntropy(), data, Y)
    assert accuracy == nn.accuracy(scores, Y) and np.isfinite(loss)
    run, _ = two_inputs()
    streamed = run.fit([(tuple(part[:30] for part in data), Y[:30])] * 2, epochs=2)
    assert len(streamed.steps["loss"]) == 4


@pytest.mark.parametrize(
    ("pick", "message"),
    [
        (lambda a, b: a, r"expected 2 inputs \(u, v\), received 1"),
        (lambda a, b: (a, b, b), r"expected 2 inputs \(u, v\), received 3"),
        (lambda a, b: (a, b[:5]), r"received \[60, 5, 60\] rows"),
        (lambda a, b: [a, b], "several inputs are a tuple"),
    ],
)
def test_inputs_that_are_too_few_or_unlike_are_named(pick, message):
    run, data = two_inputs()
    with pytest.raises(ValueError, match=message):
        run.fit(pick(*data), Y, epochs=1)


# Schedules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: nn.CosineDecay(o, 10, final=-1), "final is a number of at least 0, received -1"),
        (lambda o: nn.Polynomial(o, 10, final=np.nan), "final is a number of at least 0"),
        (lambda o: nn.StepDecay(o, 5, factor=-1), "factor is a positive number, received -1"),
        (lambda o: nn.Milestones(o, [5], factor=0), "factor is a positive number, received 0"),
        (lambda o: nn.WarmupCosine(o, 2.5, 10), "whole numbers, received 2.5 and 10"),
        (lambda o: nn.Custom(o, lambda step: -0.5), "rates of at least 0, its rate of step 0 is -"),
        (lambda o: nn.Custom(o, lambda step: np.nan), "rates of at least 0"),
    ],
)
def test_rates_below_zero_are_refused(make, message):
    optimizer = nn.SGD(nn.Bias(1))
    with pytest.raises(ValueError, match=message):
        make(optimizer)
    assert optimizer.learning_rate == 0.1


def test_a_rate_that_falls_below_zero_later_is_an_error_at_its_step():
    optimizer = nn.SGD(nn.Bias(1))
    schedule = nn.Custom(optimizer, lambda step: 1 - step)
    schedule.step()
    with pytest.raises(ValueError, match=r"Custom expected rates .* of step 2 is -0\.1"):
        schedule.step()


# Other orders of calls than the usual one ------------------------------------------------------


def test_a_step_takes_gradients_of_the_same_model_and_of_all_of_it():
    model, other = nn.mlp([6, 8, 3], rng=0), nn.mlp([6, 8, 8, 3], rng=0)
    optimizer = nn.SGD(model)
    other.forward(X)
    of_other = other.backward(np.ones((60, 3)))[1]
    for grads, message in (
        ({}, "gradients and parameters differ in 1.W, 1.b, 3.W, 3.b; pass the grads of"),
        (of_other, "gradients and parameters differ in"),
        (None, "SGD.step expected the gradients by name, received None"),
    ):
        with pytest.raises(ValueError, match=message):
            optimizer.step(grads)


def test_fit_goes_on_where_it_ended_and_predict_needs_no_fit():
    run = trainer()
    assert nn.predict(run.model, X).shape == (60, 3)
    first = run.fit(X, Y, epochs=5, rng=0)["train_loss"]
    second = run.fit(X, Y, epochs=5, rng=0)["train_loss"]
    assert len(first) == len(second) == 5
    assert second[0] < first[0]


def test_a_mode_is_true_or_false_and_a_dtype_is_said():
    model = nn.mlp([6, 8, 3], rng=0)
    for wrong in ("yes", None, 1):
        with pytest.raises(ValueError, match="train expected mode as True or False"):
            model.train(wrong)
    for wrong in (None, "float63", [1], int):
        with pytest.raises(
            ValueError, match=r"astype expected a floating dtype, such as np\.float64"
        ):
            model.astype(wrong)


# Resuming with other settings ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clip_norm": 2.0}, r"other settings \(clip_norm: 1.0 then, 2.0 now\)"),
        ({"clip_norm": None}, r"other settings \(clip_norm: 1.0 then, None now\)"),
        (
            {"loss": nn.SoftmaxCrossEntropy(label_smoothing=0.1)},
            r"loss: SoftmaxCrossEntropy\(\) then, SoftmaxCrossEntropy\(label_smoothing=0.1\) now",
        ),
        ({"loss": nn.HingeLoss()}, r"loss: SoftmaxCrossEntropy\(\) then, HingeLoss\(\) now"),
    ],
)
def test_a_run_does_not_go_on_with_another_loss_or_another_clipping(tmp_path, settings, message):
    def run(**changed):
        model = nn.mlp([6, 8, 3], rng=0)
        given = {"loss": nn.SoftmaxCrossEntropy(), "clip_norm": 1.0, **changed}
        checkpoint = tmp_path / "run.npz"
        return nn.Trainer(
            model, optimizer=nn.SGD(model), checkpoint=checkpoint, progress=False, **given
        )

    run().fit(X, Y, epochs=2, rng=0)
    other = run(**settings)
    before = other.model.params.copy()
    with pytest.raises(ValueError, match=message):
        other.resume()
    for name, array in before.items():
        np.testing.assert_array_equal(other.model.params[name], array)
    assert run().resume() == 2


class Interrupts(nn.Callback):
    """Ctrl-C behind a step."""

    def __init__(self, step):
        self.left = step

    def after_step(self, trainer):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("x", "size", "message"),
    [
        (X, 10, "within an epoch, after 2 steps with batch_size 16, now 10"),
        (X[:40], 16, "within an epoch, after 2 steps with samples 60, now 40"),
    ],
)
def test_the_rest_of_an_epoch_is_of_the_same_samples_in_the_same_batches(
    tmp_path, x, size, message
):
    settings = {"checkpoint": tmp_path / "run.npz", "checkpoint_every": 1}
    first = trainer(callbacks=[Interrupts(3)], **settings)
    assert first.fit(X, Y, epochs=1, batch_size=16, rng=0).stopped == "interrupted"
    run = trainer(**settings)
    run.resume()
    with pytest.raises(ValueError, match=message):
        run.fit(x, Y[: len(x)], epochs=1, batch_size=size)
    run.resume()
    assert len(run.fit(X, Y, epochs=1, batch_size=16).steps["loss"]) == 4
