"""The diagnosis of a run: what it says of broken nets, and that it is silent on healthy ones."""

import re
from contextlib import nullcontext

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.cli import main
from nnscratch.initializers import he_normal, zeros
from nnscratch.training.diagnosis import experiments, recorder
from nnscratch.training.diagnosis.recorder import Recorder

DIGITS = nn.load_dataset("digits")
X, Y = DIGITS.x_train, DIGITS.y_train
SHUFFLED = np.random.default_rng(5).permutation(Y)


def fit(model, optimizer, x=X, y=Y, epochs=8, batch_size=32, validation=None, **options):
    options = {"progress": False, "diagnose": True, **options}
    options.setdefault("loss", nn.SoftmaxCrossEntropy())
    trainer = nn.Trainer(model, optimizer=optimizer, **options)
    return trainer.fit(x, y, validation, epochs=epochs, batch_size=batch_size, rng=0)


def kinds(history):
    return [finding.kind for finding in history.diagnosis.findings]


def momentum(model):
    return nn.SGD(model, 0.1, momentum=0.9)


def all_zero(activation):
    model = nn.mlp([64, 64, 32, 10], activation, rng=0)
    for array in model.params.values():
        array[...] = 0
    return model


def dead(rng=0):
    model = nn.mlp([64, 64, 32, 10], rng=rng)
    model.params["3.b"] = np.full(32, -30)
    return model


# Nets that are broken on purpose ---------------------------------------------------------------


@pytest.mark.parametrize("activation", [nn.Tanh, nn.Sigmoid, nn.GELU])
def test_a_learning_rate_of_100_is_named(activation):
    model = nn.mlp([64, 64, 10], activation, rng=0)
    history = fit(model, nn.SGD(model, 100.0))
    first = history.diagnosis.findings[0]
    assert first.kind == "large updates"
    assert re.search(r"step \d+ changed .* divide the learning rate by 10+ ", first.message)
    assert "no progress" not in kinds(history)


def test_a_learning_rate_of_100_that_ends_in_infinity_is_named_in_the_error():
    model = nn.mlp([64, 128, 64, 10], rng=0)
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model, 100.0), progress=False, diagnose=True
    )
    with pytest.raises(RuntimeError, match=r"(?s)first layer with a non-finite.*updates are too l"):
        trainer.fit(X, Y, epochs=3, batch_size=128, rng=0)
    assert trainer.diagnosis.findings[0].kind == "large updates"
    assert len(trainer.diagnosis.steps)


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Sigmoid, nn.Tanh])
@pytest.mark.parametrize("optimizer", [momentum, nn.Adam])
def test_an_all_zero_start_is_named(activation, optimizer):
    model = all_zero(activation)
    history = fit(model, optimizer(model))
    assert kinds(history) == ["symmetric weights", "cannot overfit ten samples"]
    assert "layer 1 Linear(64, 64) and " in str(history.diagnosis)


@pytest.mark.parametrize("optimizer", [momentum, nn.Adam])
def test_twenty_sigmoid_layers_with_weights_that_do_not_suit_them_are_named(optimizer):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 32, rng=0), nn.Sigmoid())
    for seed in range(1, 20):
        model = nn.Sequential(*model.layers, nn.Linear(32, 32, rng=seed), nn.Sigmoid())
    model = nn.Sequential(*model.layers, nn.Linear(32, 10, rng=20))
    history = fit(model, optimizer(model), epochs=4)
    assert kinds(history) == ["vanishing gradients", "cannot overfit ten samples"]
    assert re.search(
        r"layer 1 Linear\(64, 32\) and \d+ more is \de-1\d times that of layer 41",
        str(history.diagnosis),
    )


@pytest.mark.parametrize("optimizer", [momentum, nn.Adam])
def test_dead_relus_are_named(optimizer):
    model = dead()
    history = fit(model, optimizer(model))
    assert kinds(history) == ["dead ReLUs", "cannot overfit ten samples"]
    assert "100 % of the units of layer 4 ReLU() are dead" in str(history.diagnosis)


@pytest.mark.parametrize("epochs", [4, 60])  # 60 are enough to memorize many labels
@pytest.mark.parametrize("validated", [False, True])
def test_shuffled_labels_are_named(epochs, validated):
    model = nn.mlp([64, 128, 64, 10], rng=0)
    rng = np.random.default_rng(8)
    validation = (DIGITS.x_test, rng.permutation(DIGITS.y_test)) if validated else None
    history = fit(model, momentum(model), y=SHUFFLED, epochs=epochs, validation=validation)
    assert kinds(history) == ["strange targets"]
    assert "look whether x and y were shuffled" in str(history.diagnosis)


def test_shuffled_targets_of_a_regression_are_named():
    rng = np.random.default_rng(0)
    x = np.linspace(-3, 3, 300, dtype=np.float32)[:, None]
    model = nn.mlp([1, 16, 1], nn.Tanh, rng=0)
    history = fit(model, nn.Adam(model, 0.01), x, rng.permutation(np.sin(x)), loss=nn.MSELoss())
    assert kinds(history) == ["strange targets"]


def test_shuffled_validation_labels_are_told_from_shuffled_training_labels():
    model = nn.mlp([64, 64, 10], rng=0)
    labels = np.random.default_rng(8).permutation(DIGITS.y_test)
    history = fit(model, momentum(model), validation=(DIGITS.x_test, labels))
    assert kinds(history) == ["no progress"]
    assert "nothing carries over" in str(history.diagnosis)


def test_inputs_from_0_to_255_saturate_sigmoids_and_the_advice_is_to_scale_them():
    model = nn.mlp([64, 64, 10], nn.Sigmoid, rng=0)
    history = fit(model, momentum(model), 255 * X)
    assert kinds(history)[0] == "saturated"
    assert "scale the inputs, whose root mean square is 1" in str(history.diagnosis)


@pytest.mark.parametrize("learning_rate", [1e-12, 1.0])
def test_exploding_gradients_are_told_from_a_large_learning_rate(learning_rate):
    def wide(shape, rng=None, dtype=np.float32):
        return 3 * he_normal(shape, rng, dtype)

    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Flatten())
    layers = [nn.Linear(64, 64, rng=rng, initializer=wide) for _ in range(8)]
    model = nn.Sequential(*model, *(part for W in layers for part in (W, nn.ReLU())))
    model = nn.Sequential(*model, nn.Linear(64, 10, rng=rng))
    trainer = nn.Trainer(
        model, nn.SoftmaxCrossEntropy(), nn.SGD(model, learning_rate), progress=False, diagnose=True
    )
    with nullcontext() if learning_rate < 1 else pytest.raises(RuntimeError, match="explode"):
        trainer.fit(X, Y, epochs=1, rng=0)
    assert trainer.diagnosis.findings[0].kind == "exploding gradients"


def test_a_tiny_learning_rate_is_named():
    model = nn.mlp([64, 32, 10], rng=0)
    history = fit(model, nn.SGD(model, 1e-6))
    assert kinds(history) == ["small updates"]
    assert "multiply the learning rate by 1000" in str(history.diagnosis)


def test_a_wrong_gradient_is_a_net_that_cannot_overfit():
    class Turned(nn.Tanh):
        def backward_pass(self, dy, y):
            return -super().backward_pass(dy, y)

    rng = np.random.default_rng(0)
    linear = [nn.Linear(n, m, rng=rng) for n, m in ((64, 32), (32, 4), (4, 10))]
    model = nn.Sequential(nn.Flatten(), linear[0], Turned(), linear[1], Turned(), linear[2])
    assert "cannot overfit ten samples" in kinds(fit(model, nn.SGD(model, 0.5)))


# Nets that are well ----------------------------------------------------------------------------


def convolutions(batch_norm):
    rng, layers = np.random.default_rng(0), []
    for inputs, outputs in ((1, 8), (8, 16)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding="same", rng=rng, initializer=he_normal)]
        layers += [nn.BatchNorm(outputs)] if batch_norm else []
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64, 10, rng=rng))


HEALTHY = {
    "sgd": (lambda: nn.mlp([64, 256, 128, 10], rng=0), momentum),
    "plain sgd": (lambda: nn.mlp([64, 128, 10], rng=0), lambda m: nn.SGD(m, 0.01)),
    "adam": (lambda: nn.mlp([64, 256, 128, 10], rng=0), nn.Adam),
    "rmsprop": (lambda: nn.mlp([64, 256, 128, 10], rng=0), nn.RMSprop),
    "dropout": (lambda: nn.mlp([64, 256, 128, 10], dropout=0.5, rng=0), nn.AdamW),
    "tanh": (lambda: nn.mlp([64, 128, 64, 10], nn.Tanh, rng=0), momentum),
    "sigmoid": (lambda: nn.mlp([64, 128, 64, 10], nn.Sigmoid, rng=0), lambda m: nn.Adam(m, 3e-3)),
    "ten layers": (lambda: nn.mlp([64] + 10 * [64] + [10], nn.Tanh, rng=0), nn.Adam),
    "linear": (lambda: nn.mlp([64, 10], rng=0), momentum),
    "convolutional": (lambda: convolutions(False), lambda m: nn.SGD(m, 0.05, momentum=0.9)),
    "batch norm": (lambda: convolutions(True), lambda m: nn.Adam(m, 3e-3)),
    "zero last layer": (
        lambda: nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, 64, rng=0, initializer=he_normal),
            nn.ReLU(),
            nn.Linear(64, 10, initializer=zeros),
        ),
        momentum,
    ),
}


@pytest.mark.parametrize("batch_size", [32, 128])
@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_net_gets_no_sentence(name, batch_size):
    make, optimizer = HEALTHY[name]
    model = make()
    history = fit(model, optimizer(model), batch_size=batch_size)
    assert history.diagnosis.findings == (), history.diagnosis
    assert str(history.diagnosis) == "diagnosis: nothing looks wrong"


def test_one_short_epoch_is_too_early_for_a_verdict():
    model = nn.mlp([64, 32, 10], rng=0)
    assert kinds(fit(model, nn.SGD(model, 0.01), epochs=1, batch_size=128)) == []


@pytest.mark.parametrize("loss", [nn.MSELoss(), nn.L1Loss(), nn.HuberLoss()])
def test_a_healthy_regression_gets_no_sentence(loss):
    x = np.linspace(-3, 3, 300, dtype=np.float32)[:, None]
    model = nn.mlp([1, 32, 32, 1], nn.Tanh, rng=0)
    assert kinds(fit(model, nn.Adam(model, 0.01), x, np.sin(x), loss=loss, epochs=60)) == []


def test_a_lenet_on_fashion_mnist_gets_no_sentence():
    try:
        data = nn.load_dataset("fashion-mnist")
    except FileNotFoundError:
        pytest.skip("fashion-mnist is not installed")
    model = nn.lenet(rng=0)
    history = fit(model, nn.AdamW(model, 0.003), data.x_train[:3000], data.y_train[:3000], epochs=2)
    assert kinds(history) == []


# What it costs and keeps -------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [momentum, nn.Adam])
def test_the_weights_end_bit_for_bit_as_without_a_diagnosis(optimizer):
    def noisy(x, rng):
        return x + rng.normal(0, 0.1, x.shape).astype(np.float32)

    def run(diagnose):
        rng = np.random.default_rng(3)
        model = nn.Sequential(
            nn.Flatten(),
            nn.Linear(64, 32, rng=rng),
            nn.BatchNorm(32),
            nn.ReLU(),
            nn.Dropout(0.3, rng=rng),
            nn.Linear(32, 10, rng=rng),
        )
        settings = {"clip_norm": 0.5, "augment": noisy, "early_stopping": 2}
        chosen = optimizer(model)
        history = fit(
            model,
            chosen,
            validation=(DIGITS.x_test, DIGITS.y_test),
            schedule=nn.CosineDecay(chosen, 400),
            diagnose=diagnose,
            **settings,
        )
        return model, history, rng

    (plain, history, rng), (watched, other_history, other_rng) = run(False), run(True)
    for name, array in [*plain.params.items(), *plain.buffers.items()]:
        arrays = watched.params if name in watched.params else watched.buffers
        np.testing.assert_array_equal(array, arrays[name], err_msg=name)
    for column in history.keys() - {"seconds"}:
        assert history[column] == other_history[column]
    assert rng.bit_generator.state == other_rng.bit_generator.state
    assert history.diagnosis is None
    assert other_history.diagnosis is not None
    assert all(
        a.training == b.training
        for (_, a), (_, b) in zip(plain.walk(), watched.walk(), strict=True)
    )


def test_the_record_holds_what_sgd_does():
    model = nn.Sequential(nn.Linear(3, 4, rng=0), nn.Tanh(), nn.Linear(4, 2, rng=1)).astype("f8")
    before = {name: array.copy() for name, array in model.params.items()}
    x, y = np.random.default_rng(0).normal(size=(6, 3)), np.array([0, 1, 0, 1, 1, 0])
    loss = nn.SoftmaxCrossEntropy()
    loss.forward(model.forward(x), y)
    _, grads = model.backward(loss.backward())
    history = fit(model, nn.SGD(model, 0.3), x, y, epochs=30, batch_size=6)
    found = history.diagnosis
    assert found.layers == ("0 Linear(3, 4)", "2 Linear(4, 2)")
    assert found.activations == ("1 Tanh()",)
    assert found.steps.tolist() == [*range(20), 20]
    assert found.idle.shape == (30, 1)
    for layer, name in enumerate(("0.W", "2.W")):
        gradient, weights = np.linalg.norm(grads[name]), np.linalg.norm(before[name])
        assert found.gradient_norm[0, layer] == pytest.approx(gradient)
        assert found.weight_norm[0, layer] == pytest.approx(weights)
        assert found.update_ratio[0, layer] == pytest.approx(0.3 * gradient / weights)
    assert found.gradient_norm.shape == found.update_ratio.shape == (21, 2)


def test_after_the_first_steps_every_tenth_is_recorded():
    model = nn.mlp([64, 10], rng=0)
    history = fit(model, momentum(model), epochs=2, batch_size=30)  # 48 steps an epoch
    expected = [step for step in range(96) if step < recorder.FIRST or step % recorder.EVERY == 0]
    assert history.diagnosis.steps.tolist() == expected


@pytest.mark.parametrize(
    ("layer", "x", "share"),
    [
        (nn.ReLU(), [[1, -1, -1, 0], [-1, 2, -1, -3]], 0.5),  # the last two units are dead
        (nn.ReLU(), np.array([[[[1, -1]], [[-1, -1]]], [[[-1, -1]], [[-1, -1]]]]), 0.5),
        (nn.Sigmoid(), [[0, 9, -9, 3.5]], 0.5),
        (nn.Tanh(), [[0, 9, -9, 0.5], [0, 0, 1, 0]], 0.25),
    ],
)
def test_idle_units(layer, x, share):
    assert recorder.idle_share(layer, layer.forward(np.array(x, float))) == share


def test_layers_inside_other_containers_are_found():
    inner = nn.Sequential(nn.Linear(6, 6, rng=0), nn.ReLU())
    tied = nn.Linear(6, 6, rng=1)
    scanned = nn.Scan(nn.Sequential(nn.Linear(6, 4, rng=2), nn.Sigmoid()), window=2)
    node = nn.Input("x")
    graph = nn.Graph([node], nn.Tanh()(nn.Linear(12, 12, rng=3)(node, name="deep")))
    model = nn.Sequential(
        nn.Reshape((-1, 6)),
        nn.Residual(inner),
        tied,
        tied,
        nn.Reshape((-1, 2, 6)),
        nn.Reshape((-1, 4, 3)),
        scanned,
        nn.Reshape((-1, 12)),
        graph,
        nn.Linear(12, 3, rng=4),
    )
    x = np.random.default_rng(0).normal(size=(40, 12)).astype(np.float32)
    history = fit(model, nn.SGD(model, 0.01), x, np.arange(40) % 3, epochs=2, batch_size=8)
    found = history.diagnosis
    assert found.layers == (
        "1.0.0 Linear(6, 6)",
        "2 Linear(6, 6)",
        "6.0.0 Linear(6, 4)",
        "8.deep Linear(12, 12)",
        "9 Linear(12, 3)",
    )
    assert found.activations == ("1.0.1 ReLU()", "6.0.1 Sigmoid()", "8.tanh1 Tanh()")
    assert np.isfinite(found.gradient_norm).all()
    assert (found.gradient_norm > 0).all()


def test_a_model_without_weights_or_activations_can_be_diagnosed():
    x = np.ones((20, 2), np.float32)
    model = nn.Bias(2)
    history = fit(model, nn.SGD(model), x, x * [1, 2], loss=nn.MSELoss(), epochs=2)
    assert history.diagnosis.gradient_norm.shape == (history.diagnosis.steps.size, 0)


def test_an_interrupted_run_is_diagnosed_as_far_as_it_came():
    class Interrupting(nn.Identity):
        calls = 0

        def forward_pass(self, x):
            self.calls += 1
            if self.calls == 30:
                raise KeyboardInterrupt
            return super().forward_pass(x)

    model = nn.Sequential(nn.Flatten(), Interrupting(), nn.Linear(64, 10, rng=0))
    history = fit(model, momentum(model), epochs=3)
    assert history.stopped == "interrupted"
    assert len(history.diagnosis.steps) == 21


def test_the_look_at_the_activations_leaves_caches_and_modes_as_they_were():
    model = nn.mlp([64, 32, 10], rng=0)
    model.forward(X[:3])
    caches = [layer.cache for _, layer in model.walk()]
    watching = Recorder(model, X)
    watching.end_epoch()
    assert all(a is layer.cache for a, (_, layer) in zip(caches, model.walk(), strict=True))
    assert all(layer.training for _, layer in model.walk())
    assert watching.measurements().idle.shape == (1, 1)


def test_of_an_activation_that_stands_twice_the_last_use_is_looked_at():
    same = nn.ReLU()
    model = nn.Sequential(same, nn.Linear(64, 8, rng=0), same, nn.Linear(8, 2, rng=1))
    model.params["1.b"] = np.full(8, -1000.0)
    watching = Recorder(model, X.reshape(-1, 64))
    watching.end_epoch()
    assert watching.measurements().activations == ("2 ReLU()",)
    assert watching.measurements().idle.tolist() == [[1.0]]


def test_weights_are_named_by_the_innermost_layer_also_in_attributes():
    class Own(nn.Layer):
        def __init__(self):
            self.first = nn.Sequential(nn.Linear(4, 3, rng=0))
            self.params = {"scale": np.ones((2, 2), np.float32)}

    layers, names = recorder.weights_of_layers(nn.Residual(Own()))
    assert sorted(zip(layers, names, strict=True)) == [
        ("0 Own()", ["scale"]),
        ("0.first.0 Linear(4, 3)", ["first.0.W"]),
    ]


def test_the_last_activation_may_be_saturated():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 64, rng=0), nn.Sigmoid())
    history = fit(model, nn.Adam(model, 0.1), y=(X.reshape(-1, 64) > 0.5), loss=nn.MSELoss())
    assert history.diagnosis.activations == ()
    assert kinds(history) == []


# What it tries out -------------------------------------------------------------------------------


def test_neighbours_of_real_and_of_shuffled_labels():
    assert experiments.label_disagreement_of_neighbours(X, Y) < 0.1
    assert experiments.label_disagreement_of_neighbours(X, SHUFFLED) > 0.9
    assert np.isnan(experiments.label_disagreement_of_neighbours(X, np.zeros_like(Y)))


@pytest.mark.parametrize("loss", [nn.SoftmaxCrossEntropy(), nn.NLLLoss(reduction="sum")])
def test_the_best_guess_of_classes_is_their_frequency(loss):
    y = np.array([0, 0, 2, 2, 2, 2, 2, 0])  # a class is missing
    value, accuracy = experiments.best_guess(loss, np.zeros((1, 3)), y)
    assert value == pytest.approx(-(3 * np.log(3 / 8) + 5 * np.log(5 / 8)) / 8)
    assert accuracy == 5 / 8


def test_the_best_guess_of_a_binary_target_is_its_logit():
    y = np.array([[1.0], [0.0], [0.0], [0.0]])
    value, accuracy = experiments.best_guess(nn.BCEWithLogits(), np.zeros((1, 1)), y)
    assert value == pytest.approx(-(np.log(1 / 4) + 3 * np.log(3 / 4)) / 4)
    assert accuracy == 3 / 4


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_nets_overfit_ten_samples(name):
    model = HEALTHY[name][0]()
    weights = {key: array.copy() for key, array in model.params.items()}
    assert experiments.overfits_ten_samples(model, nn.SoftmaxCrossEntropy(), X, SHUFFLED) < 0.15
    for key, array in weights.items():
        np.testing.assert_array_equal(array, model.params[key])


# What the user sees ------------------------------------------------------------------------------


def test_the_trainer_says_the_sentences_where_it_shows_progress(capsys):
    model = dead()
    history = fit(model, momentum(model), epochs=1, progress=True)
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[1:] == str(history.diagnosis).splitlines()
    assert lines[1].startswith("diagnosis: 100 % of the units of layer 4 ReLU() are dead")


def test_every_sentence_is_one_line_with_advice():
    for model, rate, y in ((dead(), 0.1, Y), (all_zero(nn.Tanh), 0.1, Y), (dead(), 0.1, SHUFFLED)):
        for finding in fit(model, nn.SGD(model, rate), y=y, epochs=2).diagnosis.findings:
            assert "\n" not in finding.message
            assert ";" in finding.message


def test_the_command_line_diagnoses_on_request(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    broken = ["train", "--epochs", "2", "--learning-rate", "100", "--hidden", "32"]
    assert main([*broken, "--diagnose"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("diagnosis: updates are too large") == 1
    assert main([*broken, "--diagnose", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.err.startswith("diagnosis: updates are too large")
    assert captured.out.startswith("test accuracy")
    assert captured.out.count("\n") == 1
    assert main(broken) == 0
    assert "diagnosis" not in capsys.readouterr().err
