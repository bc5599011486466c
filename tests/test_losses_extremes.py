"""Nothing of what differs from torch's losses at extreme inputs is left without a reason."""

import numpy as np
import pytest

pytest.importorskip("torch")

from tests.extremes_of_losses import CASES, DTYPES, differences

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CASES)
def test_what_differs_from_torch_has_a_reason(name, dtype):
    with np.errstate(all="ignore"):
        rows, counts, examples = differences(name, dtype)
    assert rows > 20
    assert None not in counts, examples[None]
