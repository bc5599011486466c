"""Correlation by spectra: the same values as by patches, chosen for large kernels only."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.layers.spatial.fft import Spectrum, pays
from nnscratch.layers.spatial.im2col import Patches
from nnscratch.layers.spatial.windows import Windows
from tests import numeric
from tests.passes import normal

windows = st.builds(
    Windows, size=st.integers(1, 7), before=st.integers(0, 7), after=st.integers(0, 7)
)


@settings(max_examples=300, deadline=None)
@given(
    axes=st.tuples(windows, windows),
    more=st.tuples(st.integers(0, 6), st.integers(0, 6)),
    channels=st.tuples(st.integers(1, 3), st.integers(1, 4)),
    samples=st.integers(0, 5),
)
@example((Windows(1), Windows(7, before=7)), (0, 0), (2, 3), 2)  # most of x is padding
def test_spectra_and_patches_give_the_same_values_and_gradients(axes, more, channels, samples):
    height, width = (max(1, axis.reach(1)) + room for axis, room in zip(axes, more, strict=True))
    x, W = (
        normal(height, channels[0], width, samples),
        normal(*channels[::-1], *(a.size for a in axes)),
    )
    spectrum, patches = Spectrum(x, axes), Patches(x, axes)
    y = patches.correlate(W)
    dy = normal(*y.shape, seed=1)
    numeric.close(spectrum.correlate(W), y, 1e-13)
    numeric.close(spectrum.weight_gradient(dy), patches.weight_gradient(dy), 1e-13)
    numeric.close(spectrum.input_gradient(dy, W), patches.input_gradient(dy, W), 1e-13)


LARGE = [
    (lambda: nn.Correlation2d(3, 5, 25, padding="same", rng=0), (4, 3, 25, 24)),
    (lambda: nn.Convolution2d(3, 5, (25, 31), padding=((15, 9), (10, 20)), rng=0), (4, 3, 25, 27)),
    (lambda: nn.Correlation1d(3, 4, 301, padding=150, rng=0), (5, 3, 310)),
    (lambda: nn.Convolution1d(3, 4, 401, padding="full", rng=0), (5, 3, 407)),
]


@pytest.mark.parametrize(("build", "shape"), LARGE)
def test_layers_with_large_kernels_take_spectra_and_pass_the_gradient_check(build, shape):
    layer = build()
    layer.forward(normal(*shape))
    assert isinstance(layer.cache, Spectrum)
    nn.assert_gradients(layer, normal(*shape))


@pytest.mark.torch
@pytest.mark.parametrize(("dtype", "tolerance"), [("f8", 1e-10), ("f4", 1e-4)])
@pytest.mark.parametrize(("build", "shape"), LARGE)
def test_layers_with_large_kernels_agree_with_torch(build, shape, dtype, tolerance):
    torch = pytest.importorskip("torch")
    layer = build().astype(dtype)
    layer.params["b"] = normal(*layer.params["b"].shape)
    x = normal(*shape).astype(dtype)
    tx, W, b = (
        torch.tensor(np.array(a, "f8"), requires_grad=True) for a in (x, *layer.params.values())
    )
    ends = [end for axis in reversed(layer.windows) for end in (axis.before, axis.after)]
    kernel = W.flip(tuple(range(2, W.ndim))) if layer.flipped else W
    function = getattr(torch.nn.functional, f"conv{layer.space}d")
    ty = function(torch.nn.functional.pad(tx, ends), kernel, b)
    y = layer.forward(x)
    dy = normal(*y.shape, seed=1).astype(dtype)
    dx, grads = layer.backward(dy)
    ty.backward(torch.tensor(dy.astype("f8")))
    assert {a.dtype for a in (y, dx, *grads.values())} == {np.dtype(dtype)}
    numeric.close(y, ty.detach().numpy(), tolerance)
    numeric.close(dx, tx.grad.numpy(), tolerance)
    numeric.close(grads["W"], W.grad.numpy(), tolerance)
    numeric.close(grads["b"], b.grad.numpy(), tolerance)


def test_small_kernels_strides_and_dilations_stay_with_patches():
    shape = (28, 8, 28, 64)
    large, small = Windows(15, before=7, after=7), Windows(3, before=1, after=1)
    assert pays(shape, (large, large), 16)
    assert not pays(shape, (small, small), 16)
    assert not pays(shape, (large, Windows(15, stride=2)), 16)
    assert not pays(shape, (Windows(11, dilation=2), large), 16)


def test_what_is_not_finite_stays_in_its_sample():
    layer = nn.Correlation2d(3, 5, 25, padding="same", rng=0)
    x = normal(4, 3, 25, 24).astype("f4")
    clean = layer.forward(x)
    x[2, 1, 7, 7] = np.nan
    y = layer.forward(x)
    assert np.isnan(y[2]).any()
    np.testing.assert_array_equal(y[[0, 1, 3]], clean[[0, 1, 3]])
