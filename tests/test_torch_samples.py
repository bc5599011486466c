"""torch's own sample inputs: what can be said in nnscratch gives the same in float64.

The tally: python -m tests.torch_samples
"""

import pytest

pytest.importorskip("torch")
pytest.importorskip("expecttest", reason="torch's lists of samples need it")

from tests.torch_samples.said import Without
from tests.torch_samples.study import NAMES, operator_samples, tally

pytestmark = pytest.mark.torch

# What is refused, and meant to be: torch computes something, or nothing that means anything.
REFUSED = (
    "causal counts both from the same beginning",  # torch counts from the first key silently
    "expected epsilon of at least 0",
    "expected momentum in [0, 1]",
    "expected class weights of at least 0",
    "expected an array with an axis 0, received ()",  # a number has no axes to take a softmax over
    "expected log-probabilities, which are at most 0",
    "the mean over samples that all weigh 0 or are ignored",  # 0/0 there
)


@pytest.mark.parametrize("name", NAMES)
def test_torchs_samples_agree(name):
    done = tally(name)
    assert done.agreed
    unexpected = [text for text in done.refused if not any(part in text for part in REFUSED)]
    assert not unexpected


def test_a_sample_that_cannot_be_said_is_no_agreement():
    rounded = [say for _, say in operator_samples("div")]
    outcomes = []
    for saying in rounded:
        try:
            saying()
        except Without as reason:
            outcomes.append(str(reason))
    assert "rounding_mode" in outcomes
    assert len(outcomes) < len(rounded)
