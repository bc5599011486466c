"""Schedules beside torch's, over many random settings; and what they refuse."""

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.optimizers.schedules import Schedule

STEPS, CASES = 60, 200
NAMES = "StepDecay ExponentialDecay Milestones Polynomial CosineRestarts OneCycle CosineDecay"
NAMES = [*NAMES.split(), "WarmupCosine", "Custom"]


def settings(seed):
    rng = np.random.default_rng(seed)
    return rng, float(rng.uniform(0.01, 2.0))


def pairs(torch):
    """(ours, theirs): two functions of (optimizer, rng, base) that draw the same settings."""
    lr = torch.optim.lr_scheduler
    return {
        "StepDecay": (
            lambda o, rng, base: nn.StepDecay(o, int(rng.integers(1, 20)), rng.uniform(0.1, 1)),
            lambda o, rng, base: lr.StepLR(o, int(rng.integers(1, 20)), rng.uniform(0.1, 1)),
        ),
        "ExponentialDecay": (
            lambda o, rng, base: nn.ExponentialDecay(o, rng.uniform(0.5, 1.05)),
            lambda o, rng, base: lr.ExponentialLR(o, rng.uniform(0.5, 1.05)),
        ),
        "Milestones": (
            lambda o, rng, base: nn.Milestones(
                o, sorted(rng.integers(1, STEPS, 4).tolist()), rng.uniform(0.1, 1)
            ),
            lambda o, rng, base: lr.MultiStepLR(
                o, sorted(rng.integers(1, STEPS, 4).tolist()), rng.uniform(0.1, 1)
            ),
        ),
        "Polynomial": (
            lambda o, rng, base: nn.Polynomial(o, int(rng.integers(5, 80)), rng.uniform(0.3, 4)),
            lambda o, rng, base: lr.PolynomialLR(o, int(rng.integers(5, 80)), rng.uniform(0.3, 4)),
        ),
        "CosineRestarts": (
            lambda o, rng, base: nn.CosineRestarts(
                o, int(rng.integers(1, 15)), int(rng.integers(1, 4))
            ),
            lambda o, rng, base: lr.CosineAnnealingWarmRestarts(
                o, int(rng.integers(1, 15)), int(rng.integers(1, 4))
            ),
        ),
        "OneCycle": (
            lambda o, rng, base: nn.OneCycle(
                o, int(rng.integers(STEPS, 90)), base * rng.uniform(2, 30)
            ),
            lambda o, rng, base: one_cycle(
                lr, o, int(rng.integers(STEPS, 90)), rng.uniform(2, 30), base
            ),
        ),
        "CosineDecay": (
            lambda o, rng, base: nn.CosineDecay(o, int(rng.integers(STEPS, 90)), rng.uniform(0, 1)),
            lambda o, rng, base: lr.CosineAnnealingLR(
                o, int(rng.integers(STEPS, 90)), rng.uniform(0, 1)
            ),
        ),
        "WarmupCosine": (
            lambda o, rng, base: nn.WarmupCosine(
                o, int(rng.integers(2, 20)), int(rng.integers(STEPS, 90))
            ),
            lambda o, rng, base: warmup_cosine(
                lr, o, int(rng.integers(2, 20)), int(rng.integers(STEPS, 90))
            ),
        ),
        "Custom": (
            lambda o, rng, base: nn.Custom(o, lambda step: 1 / (1 + step) ** 0.5),
            lambda o, rng, base: lr.LambdaLR(o, lambda step: 1 / (1 + step) ** 0.5),
        ),
    }


def one_cycle(lr, optimizer, steps, factor, base):
    return lr.OneCycleLR(
        optimizer,
        base * factor,
        steps,
        div_factor=factor,
        final_div_factor=1e4,
        cycle_momentum=False,
    )


def warmup_cosine(lr, optimizer, warmup, steps):
    """A straight line and a cosine, one after the other."""
    line = lr.LinearLR(optimizer, 1 / warmup, total_iters=warmup - 1)
    cosine = lr.CosineAnnealingLR(optimizer, steps - warmup)
    return lr.SequentialLR(optimizer, [line, cosine], [warmup])


def test_every_exported_schedule_is_compared():
    torch = pytest.importorskip("torch")
    classes = [thing for thing in vars(nn).values() if isinstance(thing, type)]
    found = {c.__name__ for c in classes if issubclass(c, Schedule)}
    assert set(pairs(torch)) == set(NAMES)
    assert found == {*NAMES, "ReduceOnPlateau"}  # which has a test of its own


@pytest.mark.torch
@pytest.mark.parametrize("name", NAMES)
def test_rates_are_torchs(name):
    torch = pytest.importorskip("torch")
    ours, theirs = pairs(torch)[name]
    for seed in range(CASES):
        _, base = settings(seed)
        optimizer = nn.SGD(nn.Bias(1), base)
        schedule = ours(optimizer, settings(seed)[0], base)
        reference = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=base)
        scheduler = theirs(reference, settings(seed)[0], base)
        for step in range(STEPS - 1):
            expected = reference.param_groups[0]["lr"]
            np.testing.assert_allclose(
                optimizer.learning_rate, expected, rtol=1e-9, atol=1e-12, err_msg=f"{seed} {step}"
            )
            reference.step()
            schedule.step()
            scheduler.step()
    print(f"{name}: {CASES} cases of {STEPS - 1} rates agree with torch")


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(200))
def test_a_plateau_is_seen_when_torch_sees_it(seed):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(seed)
    higher = bool(rng.integers(2))
    patience, threshold, factor = int(rng.integers(0, 5)), rng.choice([0, 1e-4, 0.1]), 0.3
    optimizer = nn.SGD(nn.Bias(1), 1.0)
    metric = "valid_accuracy" if higher else "valid_loss"
    schedule = nn.ReduceOnPlateau(optimizer, metric, factor, patience, threshold)
    reference = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        reference, "max" if higher else "min", factor, patience, threshold, eps=0
    )
    values = np.round(1 + np.cumsum(rng.normal(0, 0.05, 40)), int(rng.integers(1, 4)))
    for value in np.abs(values) + 0.01:
        schedule.step(value)
        scheduler.step(value)
        assert optimizer.learning_rate == pytest.approx(reference.param_groups[0]["lr"])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda o: nn.StepDecay(None, 3), "StepDecay expected an optimizer, received NoneType"),
        (lambda o: nn.StepDecay(o, None), "every is a whole number of at least 1, received None"),
        (lambda o: nn.CosineDecay(o, 2.5), "steps is a whole number"),
        (lambda o: nn.Milestones(o, [5, 3]), "ascending steps"),
        (lambda o: nn.Milestones(o, []), "ascending steps"),
        (lambda o: nn.ExponentialDecay(o, 0), "factor is a positive number"),
        (lambda o: nn.ExponentialDecay(o, "much"), "factor is a positive number"),
        (lambda o: nn.OneCycle(o, 10, None), "peak is a positive number"),
        (lambda o: nn.Custom(o, 0.5), "a function of the step"),
        (lambda o: nn.ReduceOnPlateau(o, 3), "metric as a name"),
        (lambda o: nn.ReduceOnPlateau(o, factor=1.0), "factor below 1"),
        (lambda o: nn.ReduceOnPlateau(o).step(), "once an epoch with that number"),
        (lambda o: nn.ReduceOnPlateau(o).look({"train_loss": 1}), "looks at valid_loss"),
    ],
)
def test_what_makes_no_schedule_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(nn.SGD(nn.Bias(1)))
