"""Pooling and upsampling: against torch, a textbook, and differences.

What every layer promises is tested by test_layers.py; where the windows stand by test_windows.py.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.layers.spatial.average_pooling import AvgPool1d, AvgPool2d
from nnscratch.layers.spatial.global_pooling import GlobalAvgPool
from nnscratch.layers.spatial.max_pooling import MaxPool1d, MaxPool2d
from nnscratch.layers.spatial.upsampling import Upsample
from tests import numeric
from tests.passes import normal
from tests.pooling_cases import (
    MAXIMA,
    distinct,
    every_dtype,
    every_maximum,
    every_name,
    every_pooling,
    in_memory,
    integers,
    run,
    through_torch,
)

# Any configuration -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Configuration:
    """Arguments of a pooling layer, and the shape of an input with room for a window."""

    kernel_size: tuple[int, ...]
    stride: tuple[int, ...] | None
    padding: tuple[tuple[int, int], ...]
    shape: tuple[int, ...]

    def layer(self, cls):
        return cls(self.kernel_size, self.stride, self.padding)

    @property
    def y_shape(self):
        ends = [n + sum(pair) for n, pair in zip(self.shape[2:], self.padding, strict=True)]
        steps = self.stride or self.kernel_size
        return *self.shape[:2], *(
            (room - k) // s + 1 for room, k, s in zip(ends, self.kernel_size, steps, strict=True)
        )


@st.composite
def configurations(draw, space, symmetric=False, room=True):
    def per_axis(numbers):
        return draw(st.tuples(*[numbers] * space))

    kernel_size = per_axis(st.integers(1, 5))
    stride = None if draw(st.booleans()) else per_axis(st.integers(1, 6))
    ends = [st.integers(0, k // 2) for k in kernel_size]
    before = draw(st.tuples(*ends))
    after = before if symmetric else draw(st.tuples(*ends))
    lengths = [
        (max(1, k - b - a) if room else 1) + draw(st.integers(0, 8))
        for k, b, a in zip(kernel_size, before, after, strict=True)
    ]
    batch, channels = draw(st.integers(0, 4)), draw(st.integers(1, 3))
    padding = tuple(zip(before, after, strict=True))
    return Configuration(kernel_size, stride, padding, (batch, channels, *lengths))


TORCH = {
    MaxPool1d: lambda torch: torch.nn.functional.max_pool1d,
    MaxPool2d: lambda torch: torch.nn.functional.max_pool2d,
    AvgPool1d: lambda torch: torch.nn.functional.avg_pool1d,
    AvgPool2d: lambda torch: torch.nn.functional.avg_pool2d,
}


def torch_pooling(torch, cls, configuration, x, dy):
    """(y, dx) of torch's layer of the same name."""
    function = TORCH[cls](torch)
    padding = [before for before, _ in configuration.padding]
    arguments = configuration.kernel_size, configuration.stride, padding
    return through_torch(torch, lambda x: function(x, *arguments), x, dy)


@pytest.mark.torch
@every_pooling
def test_ceil_dilation_and_what_counts_agree_with_torch(cls):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(
        configuration=configurations(cls.space, symmetric=True, room=False),
        dilation=st.tuples(*[st.integers(1, 3)] * cls.space),
        count_padding=st.booleans(),
        seed=st.integers(0, 2**31),
    )
    def agrees(configuration, dilation, count_padding, seed):
        x = normal(*configuration.shape, seed=seed)
        padding = [before for before, _ in configuration.padding]
        options = {"ceil_mode": True, "dilation": dilation}
        if cls in (AvgPool1d, AvgPool2d):
            options = {"ceil_mode": True, "count_padding": count_padding}
        layer = cls(configuration.kernel_size, configuration.stride, padding, **options)
        if not layer._has_room(x.shape[2:]):
            with pytest.raises(ValueError, match="at least"):
                layer.forward(x)
            return
        y = layer.forward(x)
        assume(np.isfinite(y).all())  # torch crashes where a dilated window sees nothing of x
        dy = normal(*y.shape, seed=seed + 1)
        if "count_padding" in options:
            options["count_include_pad"] = options.pop("count_padding")
        function = TORCH[cls](torch)
        arguments = configuration.kernel_size, configuration.stride, padding
        ty, tdx = through_torch(torch, lambda x: function(x, *arguments, **options), x, dy)
        numeric.close(y, ty, 1e-12)
        numeric.close(layer.backward(dy)[0], tdx, 1e-12)

    agrees()


@pytest.mark.torch
@every_dtype
@every_pooling
def test_any_configuration_agrees_with_torch(cls, dtype, tolerance):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(configurations(cls.space, symmetric=True), st.integers(0, 2**31))
    def agrees(configuration, seed):
        x = normal(*configuration.shape, seed=seed).astype(dtype)
        dy = normal(*configuration.y_shape, seed=seed + 1).astype(dtype)
        y, dx = run(configuration.layer(cls), x, dy)
        ty, tdx = torch_pooling(torch, cls, configuration, x, dy)
        numeric.close(y, ty, tolerance)
        numeric.close(dx, tdx, tolerance)
        assert y.dtype == dx.dtype == np.dtype(dtype)

    agrees()


@pytest.mark.torch
@every_maximum
def test_ties_are_won_by_the_same_element_as_in_torch(cls):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(configurations(cls.space, symmetric=True), st.integers(0, 2**31))
    def agrees(configuration, seed):
        x = integers(*configuration.shape, seed=seed)
        dy = np.random.default_rng(seed).integers(-99, 99, configuration.y_shape).astype(float)
        found = run(configuration.layer(cls), x, dy)
        for ours, theirs in zip(
            found, torch_pooling(torch, cls, configuration, x, dy), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)

    agrees()


@pytest.mark.torch
@every_maximum
def test_nan_and_infinity_go_the_way_they_go_in_torch(cls):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(configurations(cls.space, symmetric=True), st.integers(0, 2**31))
    def agrees(configuration, seed):
        rng = np.random.default_rng(seed)
        x = rng.choice([np.nan, -np.inf, np.inf, 0.0, 1.0], configuration.shape)
        dy = rng.integers(-99, 99, configuration.y_shape).astype(float)
        found = run(configuration.layer(cls), x, dy)
        for ours, theirs in zip(
            found, torch_pooling(torch, cls, configuration, x, dy), strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)

    agrees()


def textbook(cls, configuration, x, dy):
    """(y, dx), window by window."""
    steps = configuration.stride or configuration.kernel_size
    nowhere = -np.inf if cls in MAXIMA else 0
    padded = np.pad(x, ((0, 0), (0, 0), *configuration.padding), constant_values=nowhere)
    y, dpadded = np.zeros(configuration.y_shape), np.zeros(padded.shape)
    for place in np.ndindex(y.shape):
        starts = [i * s for i, s in zip(place[2:], steps, strict=True)]
        window = place[:2] + tuple(
            slice(start, start + k)
            for start, k in zip(starts, configuration.kernel_size, strict=True)
        )
        patch = padded[window]
        if cls in MAXIMA:
            winner = np.unravel_index(np.argmax(patch), patch.shape)
            y[place] = patch[winner]
            dpadded[window][winner] += dy[place]
        else:
            y[place] = patch.mean()
            dpadded[window] += dy[place] / patch.size
    inner = [
        slice(before, before + n)
        for (before, _), n in zip(configuration.padding, x.shape[2:], strict=True)
    ]
    return y, dpadded[(slice(None), slice(None), *inner)]


@every_pooling
def test_any_configuration_is_the_textbook_window_by_window(cls):
    @settings(max_examples=100, deadline=None)
    @given(configurations(cls.space), st.integers(0, 2**31), st.booleans())
    def agrees(configuration, seed, ties):
        x = (integers if ties else normal)(*configuration.shape, seed=seed)
        dy = normal(*configuration.y_shape, seed=seed + 1)
        y, dx = run(configuration.layer(cls), x, dy)
        expected_y, expected_dx = textbook(cls, configuration, x, dy)
        numeric.close(y, expected_y, 1e-13)
        numeric.close(dx, expected_dx, 1e-13)

    agrees()


@every_pooling
@pytest.mark.parametrize("arguments", [(2,), (3, 2, 1), (2, 3), (3, 1, "same"), (4, 3, 2)])
def test_gradients_equal_central_differences(cls, arguments):
    for seed in range(3):
        shape = (3, 2, 7, 6)[: cls.space + 2]
        numeric.check_layer(cls(*arguments), distinct(*shape, seed=seed), seed=seed)


# By hand ---------------------------------------------------------------------------------------


@every_dtype
def test_the_gradient_of_a_winner_of_several_windows_adds_up(dtype, tolerance):
    layer = MaxPool2d(2, stride=1)
    x = np.array([[[[1, 2, 3], [4, 9, 5], [8, 7, 6]]]], dtype)
    y, dx = run(layer, x, np.array([[[[1, 10], [100, 1000]]]]))
    np.testing.assert_array_equal(y, [[[[9, 9], [9, 9]]]])
    np.testing.assert_array_equal(dx, [[[[0, 0, 0], [0, 1111, 0], [0, 0, 0]]]])


def test_of_equally_large_elements_the_first_wins_row_by_row():
    x = np.array([[[[0, 0, 0, 7, 1, 2], [0, 0, 7, 7, 2, 2]]]])
    _, dx = run(MaxPool2d(2), x, [[[[1, 2, 3]]]])
    np.testing.assert_array_equal(dx, [[[[1, 0, 0, 2, 0, 3], [0, 0, 0, 0, 0, 0]]]])


def test_padding_never_wins_not_even_against_minus_infinity():
    y, dx = run(MaxPool1d(3, 2, 1), np.full((1, 1, 4), -np.inf), [[[1.0, 10.0]]])
    np.testing.assert_array_equal(y, [[[-np.inf, -np.inf]]])
    np.testing.assert_array_equal(dx, [[[1, 10, 0, 0]]])
    y, _ = run(MaxPool2d(2, padding=1), np.full((1, 1, 2, 2), -5.0), np.zeros((1, 1, 2, 2)))
    np.testing.assert_array_equal(y, np.full((1, 1, 2, 2), -5))


def test_of_several_nan_the_last_wins_and_every_other_window_goes_on():
    nan = np.nan
    y, dx = run(MaxPool1d(3), np.array([[[nan, 5, nan, 1, 3, 2]]]), [[[1, 10]]])
    np.testing.assert_array_equal(y, [[[nan, 3]]])
    np.testing.assert_array_equal(dx, [[[0, 0, 1, 0, 10, 0]]])


def test_zeros_of_the_padding_count_in_the_mean():
    y, dx = run(AvgPool1d(3, 2, 1), np.array([[[3, 6, 9, 12]]], "f8"), [[[3.0, 30.0]]])
    np.testing.assert_array_equal(y, [[[3, 9]]])
    np.testing.assert_array_equal(dx, [[[1, 11, 10, 10]]])


@pytest.mark.parametrize("place", [0, 254, 255, 256, 257, 299])
def test_windows_of_more_elements_than_a_byte_counts(place):
    for layer, space in ((MaxPool1d(300), (300,)), (MaxPool2d((12, 25)), (12, 25))):
        x = np.zeros((2, 3, 300))
        x[..., place] = 1
        _, dx = run(layer, x.reshape(2, 3, *space), np.ones((2, 3, *(1 for _ in space))))
        np.testing.assert_array_equal(dx.reshape(2, 3, 300), x)


@pytest.mark.parametrize("size", [15, 16])
def test_windows_of_about_a_byte_without_ties(size):
    x = distinct(2, 3, size, 17)
    y, dx = run(MaxPool2d((size, 17)), x, np.ones((2, 3, 1, 1)))
    np.testing.assert_array_equal(y, x.max(axis=(2, 3), keepdims=True))
    np.testing.assert_array_equal(dx, x == y)


# How the layers belong together ----------------------------------------------------------------


def test_the_mean_is_a_correlation_with_equal_weights():
    correlation = nn.Correlation2d(1, 1, (2, 3), stride=(2, 1), padding=1, bias=False)
    correlation.astype("f8").params["W"] = np.full((1, 1, 2, 3), 1 / 6)
    x, dy = normal(3, 1, 7, 5), normal(3, 1, 4, 5, seed=1)
    found = run(AvgPool2d((2, 3), (2, 1), 1), x, dy)
    for mean, product in zip(found, run(correlation, x, dy), strict=True):
        numeric.close(mean, product, 1e-13)


def test_upsampling_and_the_sum_of_windows_are_adjoint():
    x, dy = normal(3, 2, 4, 5), normal(3, 2, 8, 15, seed=1)
    y, dx = run(Upsample((2, 3)), x, dy)
    mean, spread = run(AvgPool2d((2, 3)), dy, x)
    numeric.close(dx, 6 * mean, 1e-13)
    numeric.close(y, 6 * spread, 1e-13)


@pytest.mark.parametrize(
    ("one", "two"), [(MaxPool1d(3, 2, 1), MaxPool2d), (AvgPool1d(3, 2, 1), AvgPool2d)]
)
def test_a_signal_is_an_image_of_height_1(one, two):
    x, dy = integers(3, 2, 9), normal(3, 2, 5)
    image = run(two((1, 3), (1, 2), (0, 1)), x[:, :, np.newaxis], dy[:, :, np.newaxis])
    for signal, other in zip(run(one, x, dy), image, strict=True):
        np.testing.assert_array_equal(signal, other[:, :, 0])


# Memory ----------------------------------------------------------------------------------------

LAYERS = [
    (MaxPool1d(2), (5, 3, 7)),
    (MaxPool2d(2), (5, 3, 7, 6)),
    (MaxPool2d(3, 2, 1), (5, 3, 7, 6)),
    (AvgPool1d(3, 2, 1), (5, 3, 7)),
    (AvgPool2d(2), (5, 3, 7, 6)),
    (Upsample(2), (5, 3, 7)),
    (Upsample((2, 3)), (5, 3, 7, 6)),
    (Upsample((1, 2)), (5, 3, 7, 6)),
    (GlobalAvgPool(), (5, 3, 7)),
    (GlobalAvgPool(), (5, 3, 7, 6)),
]
every_layer = pytest.mark.parametrize(
    ("layer", "shape"), LAYERS, ids=[f"{layer}-{len(shape)}" for layer, shape in LAYERS]
)


@every_name
@every_layer
def test_inputs_of_any_memory_order_give_images_with_the_samples_innermost(layer, shape, name):
    x = in_memory(distinct(*shape), name)
    y = layer.forward(x)
    dy = in_memory(normal(*y.shape), name if y.ndim > 2 else "C")
    x.flags.writeable = dy.flags.writeable = False
    y, dx = run(layer, x, dy)
    expected = run(layer, np.array(x, order="C"), np.array(dy, order="C"))
    for found, same in zip((y, dx), expected, strict=True):
        np.testing.assert_allclose(found, same, rtol=1e-13)
    for image in (y, dx):
        if image.ndim > 2:
            order = (*range(2, image.ndim - 1), 1, image.ndim - 1, 0)
            assert image.transpose(order).flags.c_contiguous


@every_layer
def test_a_gradient_is_its_own_memory(layer, shape):
    y = layer.forward(normal(*shape))
    dx, _ = layer.backward(normal(*y.shape))
    before = dx.copy()
    dx += 1
    np.testing.assert_array_equal(dx, before + 1)


def test_max_pooling_keeps_a_byte_for_each_window_and_not_x():
    layer = MaxPool2d(2)
    y, (winners, shape) = layer.forward_pass(normal(5, 3, 8, 6))
    assert (winners.nbytes, shape) == (y.size, (8, 3, 6, 5))


@pytest.mark.parametrize("layer", [MaxPool2d(2), AvgPool2d(2), GlobalAvgPool(), Upsample(2)])
def test_a_floating_dtype_stays_and_integers_become_float32(layer):
    for dtype, expected in (("f2", "f2"), ("f4", "f4"), ("f8", "f8"), ("i8", "f4"), ("u1", "f4")):
        y = layer.forward(np.ones((3, 2, 4, 4), dtype))
        assert y.dtype == layer.backward(np.ones(y.shape))[0].dtype == np.dtype(expected)
