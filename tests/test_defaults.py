"""The command line's defaults train: a part of python -m tests.defaults."""

from dataclasses import replace

import pytest

from tests.defaults import PARTS, table

DEEP = PARTS["digits, ten layers of 64"]


def least(part):
    """The least accuracy of all runs of a part, none of which may have said that it failed."""
    told, ended = table(part)
    assert not any(one.said for one in ended), told
    return min(one.test_accuracy for one in ended)


def test_every_activation_trains_with_the_default_optimizer():
    assert least(replace(PARTS["digits"], optimizers=("sgd",), seeds=1)) > 0.93


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "softplus"])
def test_every_optimizer_trains_ten_layers(activation):
    assert least(replace(DEEP, activations=(activation,), seeds=1)) > 0.85


@pytest.mark.slow
@pytest.mark.parametrize("name", PARTS)
def test_every_default_trains(name):
    assert least(PARTS[name]) > 0.5
