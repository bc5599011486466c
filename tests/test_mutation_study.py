"""A short form of the mutation study; the whole of it is python -m tests.mutation_study."""

import pytest

import nnscratch as nn
from tests.mutation_study.edits import NAMES_OF_EDITS
from tests.mutation_study.mutants import every_mutant
from tests.mutation_study.study import Shares, study, table
from tests.mutation_study.zoo import ZOO


@pytest.fixture(scope="module")
def result():
    return study(step=9, seeds=1, right=20)


def test_every_layer_and_loss_has_mutants():
    """A new layer needs a Case in ZOO of tests/mutation_study/zoo.py."""
    exported = {
        value
        for name in (*nn.layers.__all__, *nn.losses.__all__)
        if isinstance(value := getattr(nn, name), type) and name not in ("Layer", "Loss")
    }
    assert exported <= {type(case.build()) for case in ZOO}


def test_every_mutant_that_changes_a_gradient_fails(result):
    silent = [str(mutant) for mutant, outcome, _, _ in result.outcomes if outcome == "silent"]
    assert not silent
    assert result.changing >= 100


def test_most_mutants_are_named_and_hardly_one_is_named_wrong(result):
    shares = Shares.of(result)
    assert shares.right >= 0.97, table(result)
    assert shares.wrong <= 0.01, table(result)  # of so few one is half a percent


def test_correct_layers_raise_no_alarm(result):
    assert not result.alarms
    assert result.checks == 20  # test_right_layers.py has more of them


def test_mutants_that_change_nothing_are_few_and_known_as_such(result):
    assert 0 < result.count("equal") < 0.2 * len(result.outcomes)


def test_every_edit_that_has_a_name_is_made():
    """A layer that is written otherwise has other edits: give their names in edits.py."""
    made = {mutant.source for mutant in every_mutant()}
    assert not [edit for edit in NAMES_OF_EDITS if edit[1][:120] not in made]


def test_mutants_are_many_and_made_from_the_source():
    mutants = every_mutant()
    assert len(mutants) > 500
    assert len({(m.place, m.source) for m in mutants}) > 300
