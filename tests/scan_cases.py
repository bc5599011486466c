"""What the tests of scan share."""

import pytest

import nnscratch as nn

BATCH, TIME, FEATURES, WINDOW, OUT = 5, 15, 3, 4, 2  # strides 2, 3 and 4 leave time over
STRIDES = (1, 2, 3, 4)
every_stride = pytest.mark.parametrize("stride", STRIDES)


def mlp():
    """The network of [Recitation] Example 2."""
    return nn.Sequential(
        nn.Linear(WINDOW * FEATURES, 7),
        nn.ReLU(),
        nn.Linear(7, 6),
        nn.ReLU(),
        nn.Linear(6, OUT),
    )
