"""Means over all of space, and pixels repeated."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nnscratch.layers.spatial.global_pooling import GlobalAvgPool
from nnscratch.layers.spatial.max_pooling import MaxPool1d, MaxPool2d
from nnscratch.layers.spatial.upsampling import Upsample
from tests import numeric
from tests.passes import normal
from tests.pooling_cases import every_dtype, run, through_torch

# Global mean and upsampling --------------------------------------------------------------------


@pytest.mark.torch
@every_dtype
def test_global_mean_agrees_with_torch(dtype, tolerance):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(
        st.integers(0, 4),
        st.integers(0, 4),
        st.lists(st.integers(1, 6), min_size=1, max_size=3),
        st.integers(0, 2**31),
    )
    def agrees(batch, channels, space, seed):
        x = normal(batch, channels, *space, seed=seed).astype(dtype)
        dy = normal(batch, channels, seed=seed + 1).astype(dtype)
        found = run(GlobalAvgPool(), x, dy)
        expected = through_torch(torch, lambda x: x.flatten(2).mean(2), x, dy)
        for ours, theirs in zip(found, expected, strict=True):
            numeric.close(ours, theirs, tolerance)
            assert ours.dtype == np.dtype(dtype)

    agrees()


@pytest.mark.torch
@every_dtype
def test_upsampling_agrees_with_torch(dtype, tolerance):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(
        st.integers(1, 4),
        st.integers(1, 3),
        st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), min_size=1, max_size=3),
        st.booleans(),
        st.integers(0, 2**31),
    )
    def agrees(batch, channels, axes, single, seed):
        space, factors = zip(*axes, strict=True)
        factor = factors[0] if single else factors
        factors = factors[:1] * len(space) if single else factors
        x = normal(batch, channels, *space, seed=seed).astype(dtype)
        layer = Upsample(factor)
        dy = normal(*layer.forward(x).shape, seed=seed + 1).astype(dtype)
        scale = tuple(map(float, factors))
        expected = through_torch(
            torch, lambda x: torch.nn.functional.interpolate(x, scale_factor=scale), x, dy
        )
        for ours, theirs in zip(run(layer, x, dy), expected, strict=True):
            numeric.close(ours, theirs, tolerance)
            assert ours.dtype == np.dtype(dtype)

    agrees()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (GlobalAvgPool(), (3, 2, 5)),
        (GlobalAvgPool(), (3, 2, 5, 4)),
        (GlobalAvgPool(), (2, 3, 2, 5, 4)),
        (Upsample(3), (3, 2, 5)),
        (Upsample((3, 2)), (3, 2, 5, 4)),
        (Upsample((1, 2)), (3, 2, 5, 4)),
        (Upsample((3, 1, 2)), (2, 3, 2, 5, 4)),
    ],
)
def test_gradients_of_both_equal_central_differences(layer, shape):
    numeric.check_layer(layer, normal(*shape))


@pytest.mark.parametrize("shape", [(0, 3, 4), (0, 3, 4, 5), (3, 0, 4, 5)])
def test_no_samples_or_channels_are_none_again(shape):
    space = shape[2:]
    for layer in ((MaxPool1d, MaxPool2d)[len(space) - 1](2), Upsample(3), GlobalAvgPool()):
        y = layer.forward(np.zeros(shape))
        dx, _ = layer.backward(np.zeros(y.shape))
        assert (y.shape[:2], dx.shape) == (shape[:2], shape)


def test_upsampling_repeats_pixels_in_squares():
    y = Upsample((2, 3)).forward([[[[1.0, 2.0]]]])
    np.testing.assert_array_equal(y, [[[[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2]]]])
