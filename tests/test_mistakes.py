"""Every typical mistake gets a message that names the place and the remedy."""

import pytest

from tests.mistakes import MISTAKES, message


@pytest.mark.parametrize(
    ("mistake", "words"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES]
)
def test_a_typical_mistake_is_explained(mistake, words):
    assert words in message(mistake)
