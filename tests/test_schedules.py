"""Schedules: the rate at every step, as torch has it or as derived by hand."""

import numpy as np
import pytest

import nnscratch as nn

TORCH = {
    "step": (lambda o: nn.StepDecay(o, 3, 0.5), lambda s, o: s.StepLR(o, 3, 0.5)),
    "cosine": (
        lambda o: nn.CosineDecay(o, 11, final=0.02),
        lambda s, o: s.CosineAnnealingLR(o, 11, eta_min=0.02),
    ),
}


def rates(schedule, optimizer, steps):
    found = []
    for _ in range(steps):
        found.append(optimizer.learning_rate)
        schedule.step()
    return found


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_rates_agree_with_torch(name):
    torch = pytest.importorskip("torch")
    ours, theirs = TORCH[name]
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    schedule = theirs(torch.optim.lr_scheduler, optimizer)
    expected = []
    for _ in range(11):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    chosen = nn.SGD(nn.Bias(1), learning_rate=0.3)
    np.testing.assert_allclose(rates(ours(chosen), chosen, 11), expected, rtol=1e-12)


def test_cosine_stays_at_its_final_rate():
    optimizer = nn.SGD(nn.Bias(1), learning_rate=1.0)
    found = rates(nn.CosineDecay(optimizer, 4, final=0.2), optimizer, 7)
    np.testing.assert_allclose(found[:3], [1.0, 0.2 + 0.8 * (1 + np.sqrt(0.5)) / 2, 0.6])
    np.testing.assert_allclose(found[4:], 0.2)


def test_warmup_rises_in_a_straight_line_and_moves_at_once():
    optimizer = nn.SGD(nn.Bias(1), learning_rate=0.4)
    found = rates(nn.WarmupCosine(optimizer, warmup=4, steps=8), optimizer, 10)
    np.testing.assert_allclose(found[:5], [0.1, 0.2, 0.3, 0.4, 0.4])
    np.testing.assert_allclose(found[6], 0.2)
    np.testing.assert_allclose(found[8:], 0.0, atol=1e-12)


def test_the_optimizer_steps_with_the_scheduled_rate():
    model = nn.Bias(1).astype("f8")
    optimizer = nn.SGD(model, learning_rate=1.0)
    schedule = nn.StepDecay(optimizer, every=1, factor=0.1)
    for _ in range(3):
        optimizer.step({"b": np.ones(1)})
        schedule.step()
    np.testing.assert_allclose(model.params["b"], -1.11)


@pytest.mark.parametrize(
    "make",
    [
        lambda o: nn.StepDecay(o, 0),
        lambda o: nn.CosineDecay(o, 0),
        lambda o: nn.WarmupCosine(o, 5, 5),
        lambda o: nn.WarmupCosine(o, -1, 5),
    ],
)
def test_counts_out_of_range_are_refused(make):
    optimizer = nn.SGD(nn.Bias(1))
    with pytest.raises(ValueError, match="received"):
        make(optimizer)
    assert optimizer.learning_rate == 0.1


# A schedule that ends long before the training ------------------------------------------------


def fit_with(make, epochs=10, **options):
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("f4")
    model = nn.Linear(3, 2, rng=0)
    optimizer = nn.SGD(model, 0.1)
    trainer = nn.Trainer(model, nn.MSELoss(), optimizer, make(optimizer), progress=False)
    return trainer.fit(x, x[:, :2], epochs=epochs, batch_size=16, **options)


@pytest.mark.parametrize(
    ("make", "rate"),
    [
        (lambda o: nn.CosineDecay(o, 10, final=0.01), "0.01"),
        (lambda o: nn.Polynomial(o, 10), "0"),
        (lambda o: nn.WarmupCosine(o, 2, 10), "0"),
        (lambda o: nn.OneCycle(o, 10, 0.5), "1e-05"),
    ],
)
def test_a_schedule_that_ends_long_before_the_training_is_told_of_once(make, rate, capsys):
    """The usual mistake: epochs where minibatches are counted."""
    fit_with(make)
    (line,) = capsys.readouterr().err.splitlines()
    name = type(make(nn.SGD(nn.Bias(1)))).__name__
    assert line == (
        f"{name} has come to its end after the 10 steps that it was planned for: the learning "
        f"rate stays at {rate} for the 7 epochs left. It counts minibatches, 4 an epoch; for the "
        "whole run plan 40"
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda o: nn.CosineDecay(o, 40),
        lambda o: nn.CosineDecay(o, 35),  # in the last fifth
        lambda o: nn.CosineDecay(o, 400),
        lambda o: nn.StepDecay(o, 3),
        lambda o: nn.Milestones(o, [2, 5]),
        lambda o: nn.CosineRestarts(o, 5),
        lambda o: nn.ReduceOnPlateau(o, "train_loss"),
    ],
)
def test_nothing_is_said_of_a_schedule_that_fits_or_has_no_end(make, capsys):
    fit_with(make)
    assert capsys.readouterr().err == ""
