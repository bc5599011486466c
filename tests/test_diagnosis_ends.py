"""The diagnosis of the two ends of a net: inputs of the wrong size, outputs of the wrong kind."""

import numpy as np
import pytest

import nnscratch as nn

DIGITS = nn.load_dataset("digits")
X, Y = DIGITS.x_train.reshape(-1, 64), DIGITS.y_train
HELD = DIGITS.x_test.reshape(-1, 64), DIGITS.y_test


def found(*last, loss=None, x=X, y=Y, held=None, first=(), optimizer=None):
    outputs = 10 if np.ndim(y) == 1 else y.shape[1]
    hidden = nn.Linear(64, 32, rng=0), nn.ReLU(), nn.Linear(32, outputs, rng=1)
    model = nn.Sequential(*first, *hidden, *last)
    optimizer = (optimizer or (lambda m: nn.SGD(m, 0.1)))(model)
    loss = loss or nn.SoftmaxCrossEntropy()
    trainer = nn.Trainer(model, loss, optimizer, progress=False, diagnose=True)
    findings = trainer.fit(x, y, held, epochs=4, batch_size=32, rng=0).diagnosis.findings
    assert all(finding.message.isprintable() for finding in findings)
    return findings


def kinds(*last, **options):
    return [finding.kind for finding in found(*last, **options)]


ONE_HOT = np.eye(10, dtype=np.float32)[Y]
LARGE = np.abs(X[:, :3]) * 4 - 1


def test_probabilities_in_front_of_a_loss_of_scores_are_named():
    assert "probabilities as scores" in kinds(nn.Softmax())
    assert "probabilities as scores" in kinds(nn.Softmax(), loss=nn.HingeLoss())
    assert "probabilities as scores" in kinds(nn.Sigmoid(), loss=nn.BCEWithLogits(), y=ONE_HOT)


def test_a_softmax_of_ones_own_is_named_by_what_it_gives():
    class Mine(nn.Softmax):
        pass

    assert "probabilities as scores" in kinds(Mine())


def test_scores_that_are_cut_off_are_named():
    assert kinds(nn.ReLU())[0] == "scores cut off"
    assert kinds(nn.ReLU(), loss=nn.BCEWithLogits(), y=ONE_HOT)[0] == "scores cut off"


@pytest.mark.parametrize("last", [nn.ReLU, nn.Sigmoid, nn.Tanh])
def test_targets_that_the_last_layer_cannot_give_are_named(last):
    assert kinds(last(), loss=nn.MSELoss(), y=LARGE)[0] == "targets out of reach"


def test_validation_data_that_is_scaled_otherwise_is_named():
    assert kinds(held=(HELD[0] * 255, HELD[1])) == ["validation scaled apart"]
    assert kinds(held=(HELD[0] / 255, HELD[1])) == ["validation scaled apart"]


@pytest.mark.parametrize("optimizer", [nn.Adam, nn.AdamW, lambda m: nn.SGD(m, 1e-4)])
def test_raw_pixels_are_named(optimizer):
    first, *_ = found(x=X * 255, optimizer=optimizer)
    assert "scale" in first.message
    assert "root mean square is 12" in first.message
    assert kinds(x=X * 30, optimizer=optimizer)[0] == "wide inputs"


@pytest.mark.parametrize(
    "healthy",
    [
        {},
        {"held": HELD},
        {"last": (nn.LogSoftmax(),)},
        {"last": (nn.LogSoftmax(),), "loss": nn.NLLLoss()},
        {"loss": nn.BCEWithLogits(), "y": ONE_HOT},
        {"loss": nn.HingeLoss()},
        {"last": (nn.Sigmoid(),), "loss": nn.MSELoss(), "y": X[:, 10:20]},
        {"last": (nn.Softplus(),), "loss": nn.MSELoss(), "y": X[:, 10:20]},
        {"loss": nn.MSELoss(), "y": LARGE},
        {"first": (nn.BatchNorm(64),), "x": X * 255},
    ],
    ids=str,
)
def test_healthy_ends_get_no_sentence(healthy):
    assert kinds(*healthy.pop("last", ()), **healthy) == []
