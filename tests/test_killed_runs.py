"""Runs that are killed and resumed end with the bytes of unbroken ones.

The study: python -m tests.killed_runs
"""

import os

import pytest

from tests.killed_runs import KINDS, study

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_that_is_killed_and_resumed_has_the_bytes_of_an_unbroken_one(kind, tmp_path):
    equal, told = study(2, kind, tmp_path)
    assert equal == 2, told


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_killed_runs_have_the_bytes_of_unbroken_ones(kind, tmp_path):
    equal, told = study(34, kind, tmp_path, seed=1)
    assert equal == 34, told
