"""A layer that sees some rows of a minibatch draws what it would draw for them in the whole."""

import copy
import pickle

import numpy as np
import pytest

import nnscratch as nn
from nnscratch.layers.part import Part, skip

KINDS = [np.random.PCG64, np.random.PCG64DXSM, np.random.Philox, np.random.SFC64, np.random.MT19937]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("before", [0, 1, 4])  # an odd number leaves half a step of PCG64 behind
@pytest.mark.parametrize("count", [0, 1, 2, 7, 70_001])
def test_skipping_leaves_the_generator_as_drawing_does(kind, before, count):
    drawn, skipped = (np.random.Generator(kind(3)) for _ in range(2))
    for rng in (drawn, skipped):
        rng.random(before, np.float32)
    drawn.random(count, np.float32)
    skip(skipped, count)
    np.testing.assert_array_equal(skipped.random(5, np.float32), drawn.random(5, np.float32))
    assert skipped.integers(1 << 60) == drawn.integers(1 << 60)


def test_parts_of_dropout_draw_the_mask_of_the_whole_batch_again_and_again():
    x = np.ones((7, 3, 5), np.float32)
    alone = nn.Dropout(0.4, rng=2)
    parts = [nn.Dropout(0.4, rng=2) for _ in range(3)]
    for _ in range(3):
        whole = alone.forward(x)
        found = []
        for rank, layer in enumerate(parts):
            layer.part = Part(lambda vector: None)
            first, stop = 7 * rank // 3, 7 * (rank + 1) // 3
            layer.part.first, layer.part.size, layer.part.whole = first, stop - first, 7
            found.append(layer.forward(x[first:stop]))
        np.testing.assert_array_equal(np.concatenate(found), whole)


def test_dropout_refuses_what_has_not_the_batch_as_its_first_axis():
    layer = nn.Dropout(0.5, rng=0)
    layer.part = Part(lambda vector: None)
    layer.part.size = layer.part.whole = 4
    with pytest.raises(ValueError, match=r"Dropout\(0\.5\) expected the 4 samples .*\(3, 4\)"):
        layer.forward(np.ones((3, 4)))
    np.testing.assert_array_equal(layer.eval().forward(np.ones((3, 4))), 1)


def test_copies_and_pickles_of_a_layer_leave_the_part_behind():
    layer = nn.Sequential(nn.BatchNorm(2))
    layer[0].part = Part(lambda vector: None)
    assert copy.deepcopy(layer)[0].part is None
    assert pickle.loads(pickle.dumps(layer))[0].part is None
