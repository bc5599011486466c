"""Every attack of tests/attacks/corpus, at the highest level that this machine gives and at 2.

The table: python -m tests.attacks
"""

import pytest

from nnscratch.grading.sandbox.limits import Limits
from nnscratch.grading.sandbox.slot import close_all, detect_level
from nnscratch.grading.sandbox.worker import Worker
from tests.attacks.assignment import HONEST, ITEMS, PUBLIC_SEED, judge
from tests.attacks.grader import graded
from tests.attacks.place import place, remains
from tests.attacks.study import LIMITS, corpus, run

LEVEL = detect_level().level
LEVELS = sorted({LEVEL, 2} if LEVEL >= 2 else ())
needs_sandbox = pytest.mark.skipif(LEVEL < 2, reason="; ".join(detect_level().reasons))

ROWS = (
    "printing fake results",
    "writing or deleting results or test files",
    "patching numpy, assert or pytest",
    "sys.exit, os._exit(0), a segfault",
    "reading the reference from disk, sys.modules, frames or gc",
    "importing nnscratch, torch, jax or autograd",
    "objects and ndarray subclasses that claim to equal everything",
    "infinite loops",
    "fork, memory and output bombs",
    "lying headers",
    "daemons that outlive the parent",
    "the network",
    "the environment",
    "zip-slip, symlinks, devices, odd file names",
    "answers hard-coded for the public seed",
    "a numeric derivative instead of a backward",
    "unpickling tricks",
    "timeouts held just below the limit",
)


@pytest.fixture(scope="module")
def somewhere():
    with place() as where:
        yield where
    close_all()


@pytest.fixture(scope="module", params=LEVELS)
def level(request):
    with Worker({}, request.param):
        pass
    return request.param


def test_every_line_of_the_design_has_an_attack():
    assert {attack.row for attack in corpus()} == set(ROWS)
    assert len(corpus()) >= 40


@needs_sandbox
@pytest.mark.parametrize("attack", corpus(), ids=lambda attack: attack.name)
def test_attack_gets_nothing_and_leaves_nothing(attack, level, somewhere):
    assert not run(attack, level, somewhere).faults


def one_of_each_row():
    return list({attack.row: attack for attack in corpus()}.values())


@needs_sandbox
@pytest.mark.parametrize("attack", one_of_each_row(), ids=lambda attack: attack.name)
def test_the_real_grader_gives_nothing_either(attack, level, somewhere):
    """All of them: python -m tests.attacks --grader"""
    _, faults = graded(attack, level, somewhere)
    assert not faults


@needs_sandbox
@pytest.mark.parametrize("item", ITEMS)
def test_honest_file_gets_its_points(item, level):
    for seed in (PUBLIC_SEED, 7, 8):
        outcome = judge(item, HONEST, level, Limits(**LIMITS), seed)
        assert outcome.points == 1, outcome


# An attack that could never succeed would prove nothing. Without the sandbox these do.
@pytest.mark.parametrize(
    "name",
    [
        "read_secret",
        "read_reference",
        "read_other_submission",
        "import_by_path",
        "symlink",
        "hard_link",
        "parent_folder",
        "named_pipe",
        "deep_folders",
        "listen",
        "user_namespace",
        "clear_death_signal",
        "write_results",
        "touch_results",
    ],
)
def test_the_same_attack_succeeds_without_the_sandbox(name):
    attack = next(attack for attack in corpus() if attack.name == name)
    with place() as where:
        result = run(attack, 0, where)
    assert result.faults, result


@pytest.mark.parametrize("name", ["hard_coded"])
def test_hard_coded_answers_are_right_for_the_public_seed(name):
    attack = next(attack for attack in corpus() if attack.name == name)
    files = attack.files(b"{}")
    outcome = judge("square", files, None, attack.limits, PUBLIC_SEED)
    assert outcome.stopped_by == "backward: values differ"  # and not "forward"


@needs_sandbox
def test_nothing_is_left_when_all_is_done(somewhere):
    close_all()
    before = remains()
    with Worker(HONEST) as worker:
        worker.module("square")
    close_all()
    assert remains() == before
    assert not before["processes"]
