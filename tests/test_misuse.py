"""Wrong arguments, wherever they come: the right result, or an error that names the place."""

import inspect
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest

import nnscratch as nn
from nnscratch import data, plots
from tests.layer_cases import CASES
from tests.loss_cases import LOSSES, kind
from tests.misuse.calls import FOLDER, every_call
from tests.misuse.tally import is_wrong, outcome
from tests.misuse.wrong import WRONG

EVERY = every_call()
ABSTRACT = {"Layer", "Loss", "Optimizer", "Callback"}  # are derived from, not made; and results:
TRIED = {name for called in EVERY for name in called.name.replace(".", " ").split()}


def test_everything_public_is_called():
    public = {name for module in (nn, data) for name in module.__all__}
    public = {name for name in public if callable(getattr(nn, name, getattr(data, name, None)))}
    assert public - TRIED - ABSTRACT - {"Dataset", "RangeTest", "Text"} == set()


def refusals(calls, wrong):
    """What is not refused by name."""
    for called in calls:
        for argument in called.arguments:
            for what in filter(partial(is_wrong, argument), wrong(called.name + argument)):
                found, said = outcome(called, argument, WRONG[what])
                if found in ("unnamed", "crash"):
                    yield f"{called.name} {argument}={what}: {found}, {said[:160]}"
        plt.close("all")


def test_wrong_arguments_are_refused_by_name(monkeypatch):
    monkeypatch.chdir(FOLDER)
    every = list(WRONG)

    def some(name):  # each argument gets others
        start = sum(map(ord, name))
        return [every[(start + 7 * i) % len(every)] for i in range(5)]

    assert list(refusals(EVERY, some)) == []


@pytest.mark.slow
def test_all_wrong_arguments_are_refused_by_name(monkeypatch):
    monkeypatch.chdir(FOLDER)
    assert list(refusals(EVERY, lambda name: list(WRONG))) == []


@pytest.mark.parametrize("what", ["masked", "sparse"])
def test_masks_and_sparse_arrays_are_never_ignored(what):
    for called in EVERY:
        for argument in called.arguments:
            if argument.startswith("x") or argument in ("prediction", "target", "labels", "scores"):
                found, said = outcome(called, argument, WRONG[what])
                judged_anyway = called.name.startswith(("check_gradients", "assert_gradients"))
                assert found == "clear" or judged_anyway, (called.name, argument, said)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_layer_says_that_forward_comes_first(case):
    with pytest.raises(RuntimeError, match="backward came before forward; call forward"):
        case.build().backward(np.ones(3))


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_says_that_forward_comes_first(name):
    with pytest.raises(RuntimeError, match=rf"{kind(name)}.*backward came before forward"):
        LOSSES[name]().backward()


def test_kinds_are_those_of_the_signature():
    for wrong in ("3", 2.5, None, True, [3]):
        with pytest.raises(ValueError, match="Linear expected in_features as a whole number"):
            nn.Linear(wrong, 3)
        with pytest.raises(TypeError, match="Linear expected in_features"):  # Python's own word
            nn.Linear(wrong, 3)
    assert nn.Linear(np.int8(3), np.array(4)).out_features == 4
    assert nn.Dropout(np.float32(0.5)).p == 0.5


def test_a_class_of_ones_own_takes_what_it_likes():
    class Mine(nn.Layer):
        def __init__(self, size: int):
            self.size = size

    assert Mine("large").size == "large"


def test_plots_refuse_what_they_cannot_draw():
    for name in plots.__all__:
        function = getattr(plots, name)
        if inspect.isfunction(function) and "Layer" in str(inspect.signature(function)):
            with pytest.raises((ValueError, TypeError), match=name):
                function(None)
