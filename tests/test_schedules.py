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
