"""Arguments of correlation, convolution and their transpose, and what is said of wrong ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.initializers import he_normal
from tests import numeric
from tests.correlation_cases import (
    TRANSPOSES,
    agree,
    configurations,
    equal,
    every_correlation,
    every_layer,
)
from tests.passes import double, normal, run

# Arguments -------------------------------------------------------------------------------------


def test_conv_is_another_name_for_correlation():
    for conv, correlation in [(nn.Conv1d, nn.Correlation1d), (nn.Conv2d, nn.Correlation2d)]:
        assert issubclass(conv, correlation)
        first, second = conv(3, 4, 2, rng=0), correlation(3, 4, 2, rng=0)
        x = normal(2, 3, *[5] * conv.space)
        agree(run(first, x), run(second, x), 0)


@every_correlation
@pytest.mark.parametrize(
    ("padding", "vertical", "horizontal"),
    [("valid", 0, 0), ("same", (3, 3), (4, 4)), ("full", 6, 8), (1, (1, 1), (1, 1))],
    ids=str,
)
def test_padding_by_name_is_padding_in_numbers(cls, padding, vertical, horizontal):
    # kernels of 4 and 5 with a dilation of 2 reach over 6 and 8 more places
    sizes, numbers = (4, 5)[: cls.space], (vertical, horizontal)[: cls.space]
    named = double(cls(2, 3, sizes, padding=padding, dilation=2))
    told = double(cls(2, 3, sizes, padding=numbers, dilation=2))
    x = normal(3, 2, *(11, 9)[: cls.space])
    agree(run(named, x), run(told, x), 0)


@every_correlation
def test_same_keeps_and_full_adds_to_the_size(cls):
    x = normal(3, 2, *(7, 9)[: cls.space])
    sizes = (4, 3)[: cls.space]
    assert cls(2, 5, sizes, padding="same").forward(x).shape == (3, 5, *x.shape[2:])
    full = tuple(n + k - 1 for n, k in zip(x.shape[2:], sizes, strict=True))
    assert cls(2, 5, sizes, padding="full").forward(x).shape == (3, 5, *full)


@every_layer
def test_seed_bias_and_initializer_are_those_asked_for(cls):
    first, second = cls(3, 4, 2, rng=7), cls(3, 4, 2, rng=7)
    equal(first.params["W"], second.params["W"])
    assert not np.array_equal(first.params["W"], cls(3, 4, 2, rng=8).params["W"])
    channels = (3, 4) if cls in TRANSPOSES else (4, 3)
    assert first.params["W"].shape == (*channels, *[2] * cls.space)
    equal(first.params["b"], np.zeros(4, np.float32), strict=True)
    assert list(cls(3, 4, 2, bias=False).params) == ["W"]
    ones = cls(3, 4, 2, initializer=lambda shape, rng: np.ones(shape, np.float32))
    assert np.all(ones.params["W"] == 1)
    drawn = cls(3, 4, 2, rng=7, initializer=he_normal).params["W"]
    equal(drawn, he_normal(drawn.shape, 7), strict=True)


@every_layer
def test_integer_input_becomes_float32_and_so_does_float64(cls):
    x = np.arange(2 * 3 * 6 * 5).reshape(2, 3, 6, 5)[..., : 5 if cls.space == 2 else 1]
    x = x if cls.space == 2 else x[..., 0]
    layer = cls(3, 4, 2, rng=0)
    y = layer.forward(x)
    assert y.dtype == np.float32
    equal(y, layer.forward(x.astype(np.float32)))
    equal(y, layer.forward(x.astype(np.float64)), strict=True)  # the parameters decide


@every_layer
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_layer_is_printed_as_it_is_written(cls, data):
    layer = data.draw(configurations(cls)).layer(cls)
    read = eval(repr(layer), vars(nn).copy())
    assert type(read) is cls
    assert read.windows == layer.windows
    assert {k: v.shape for k, v in read.params.items()} == {
        k: v.shape for k, v in layer.params.items()
    }


@pytest.mark.parametrize(
    ("layer", "printed"),
    [
        (nn.Conv2d(3, 8, 5), "Conv2d(3, 8, 5)"),
        (nn.Conv2d(3, 8, (5, 3), stride=2), "Conv2d(3, 8, (5, 3), stride=2)"),
        (nn.Convolution2d(3, 8, 5, padding="full"), "Convolution2d(3, 8, 5, padding=4)"),
        (nn.Conv1d(3, 8, 4, padding="same"), "Conv1d(3, 8, 4, padding=(1, 2))"),
        (nn.Conv2d(3, 8, 4, padding="same"), "Conv2d(3, 8, 4, padding=((1, 2), (1, 2)))"),
        (
            nn.Conv2d(3, 6, 4, 2, "same", groups=3),
            "Conv2d(3, 6, 4, stride=2, padding='same', groups=3)",
        ),
        (
            nn.ConvTranspose1d(3, 8, 5, 3, output_padding=2, dilation=2),
            "ConvTranspose1d(3, 8, 5, stride=3, output_padding=2, dilation=2)",
        ),
    ],
)
def test_what_is_printed_is_short_and_cannot_be_misread(layer, printed):
    assert repr(layer) == printed


# Mistakes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            nn.Conv2d(1, 8, 5),
            (32, 28, 28, 1),
            r"Conv2d\(1, 8, 5\) expected \(batch, 1, height, width\), "
            r"received \(32, 28, 28, 1\); .*np\.moveaxis\(x, -1, 1\)",
        ),
        (nn.Convolution2d(3, 8, 5), (32, 28, 28, 3), r"np\.moveaxis\(x, -1, 1\)"),
        (nn.ConvTranspose2d(3, 8, 5), (32, 28, 28, 3), r"np\.moveaxis\(x, -1, 1\)"),
        (
            nn.Conv1d(8, 4, 3),
            (32, 100, 8),
            r"expected \(batch, 8, length\), received \(32, 100, 8\); .*np\.moveaxis\(x, -1, 1\)",
        ),
        (
            nn.Conv2d(1, 8, 5),
            (32, 28, 28),
            r"received \(32, 28, 28\); .*channel axis: x\[:, np\.newaxis\]",
        ),
        (nn.Conv1d(1, 8, 5), (32, 28), r"channel axis: x\[:, np\.newaxis\]"),
        (
            nn.Conv2d(1, 8, 5),
            (28, 28, 1),
            r"channels are last: np\.moveaxis\(x, -1, 0\)\[np\.newax",
        ),
        (nn.Conv2d(1, 8, 5), (32, 784), r"flat images .* x\.reshape\(len\(x\), 1, height, width\)"),
        (nn.Conv2d(3, 8, 5), (3, 28, 28), r"batch of one: x\[np\.newaxis\]"),
        (nn.Conv1d(3, 8, 5), (3, 28), r"batch of one: x\[np\.newaxis\]"),
        (nn.Conv2d(1, 8, 5), (28, 28), r"received \(28, 28\); .*batch and channels"),
        (nn.Conv2d(1, 8, 5), (32, 784), r"received \(32, 784\); .*batch and channels"),
        (nn.Conv2d(1, 8, 5), (), r"received \(\); .*batch and channels"),
        (nn.Conv1d(1, 8, 5), (32, 1, 28, 28), r"received \(32, 1, 28, 28\); "),
        (
            nn.Conv2d(3, 8, 5, padding=2, bias=False),
            (32, 4, 28, 28),
            r"\(batch, 3, height, width\), received \(32, 4, 28, 28\); "
            r"make it Conv2d\(4, 8, 5, padding=2, bias=False\)$",
        ),
        (nn.Convolution1d(3, 8, 5), (32, 4, 28), r"make it Convolution1d\(4, 8, 5\)$"),
        (
            nn.ConvTranspose1d(3, 8, 5, 2),
            (32, 4, 28),
            r"make it ConvTranspose1d\(4, 8, 5, stride=2",
        ),
        (nn.Conv1d(3, 6, 5, groups=3), (32, 6, 28), r"make it Conv1d\(6, 6, 5, groups=3\)$"),
        (nn.Conv1d(3, 6, 5, groups=3), (32, 4, 28), r"make it Conv1d\(4, 6, 5\)$"),
    ],
    ids=lambda value: repr(value) if isinstance(value, (nn.Layer, tuple)) else "",
)
def test_a_wrong_shape_is_told_the_right_one_and_how_to_get_there(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros(shape))


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            nn.Conv2d(2, 3, 5),
            (7, 2, 9, 4),
            r"at least 5 x 5, received \(7, 2, 9, 4\); .*smaller kernel_size or more padding",
        ),
        (nn.Conv2d(2, 3, (2, 5), padding=(0, 1)), (7, 2, 9, 2), r"at least 2 x 3, received"),
        (nn.Conv2d(2, 3, 3, padding=(0, 2)), (7, 2, 2, 3), r"at least 3 x [01], received"),
        (
            nn.Conv1d(2, 3, 3, dilation=4),
            (7, 2, 8),
            r"a length of at least 9, received \(7, 2, 8\)",
        ),
        (nn.Convolution1d(2, 3, 3), (7, 2, 0), r"at least 3, received \(7, 2, 0\)"),
        (nn.ConvTranspose1d(2, 3, 3, padding=2), (7, 2, 1), r"received \(7, 2, 1\); "),
        (nn.ConvTranspose2d(2, 3, 3, padding=(0, 2)), (7, 2, 4, 2), r"received \(7, 2, 4, 2\); "),
    ],
    ids=lambda value: repr(value) if isinstance(value, (nn.Layer, tuple)) else "",
)
def test_an_input_too_small_for_a_single_output_is_refused(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros(shape))


def test_the_least_size_named_is_enough():
    nn.Conv1d(2, 3, 3, dilation=4).forward(np.zeros((7, 2, 9)))
    nn.Conv2d(2, 3, (2, 5), padding=(0, 1)).forward(np.zeros((7, 2, 2, 3)))


@every_correlation
def test_groups_are_correlations_side_by_side(cls):
    layer = double(cls(6, 9, (2, 3)[-cls.space :], stride=2, groups=3))
    x = normal(4, 6, *(5, 7)[: cls.space])
    y, dx, grads = run(layer, x)
    dy = normal(*y.shape, seed=5)
    for i in range(3):
        alone = double(cls(2, 3, (2, 3)[-cls.space :], stride=2))
        inside, outside = slice(2 * i, 2 * i + 2), slice(3 * i, 3 * i + 3)
        alone.params.update({k: array[outside] for k, array in layer.params.items()})
        numeric.close(alone.forward(x[:, inside]), y[:, outside], 1e-13)
        dpart, found = alone.backward(dy[:, outside])
        numeric.close(dpart, dx[:, inside], 1e-13)
        for name in found:
            numeric.close(found[name], grads[name][outside], 1e-13)


@every_correlation
def test_groups_divide_the_channels(cls):
    for wrong in (2, 0, -1, 12):
        with pytest.raises(ValueError, match=f"{cls.__name__} expected groups to be a divisor"):
            cls(6, 9, 3, groups=wrong)


@every_correlation
@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    sizes=st.tuples(*[st.integers(1, 5)] * 2),
    strides=st.tuples(*[st.integers(1, 6)] * 2),
    dilations=st.tuples(*[st.integers(1, 3)] * 2),
    space=st.tuples(*[st.integers(1, 9)] * 2),
)
def test_same_with_a_stride_has_the_windows_of_tensorflow(cls, sizes, strides, dilations, space):
    sizes, strides, dilations, space = (
        values[: cls.space] for values in (sizes, strides, dilations, space)
    )
    counts = [-(-n // s) for n, s in zip(space, strides, strict=True)]
    zeros = [
        max((count - 1) * s + d * (k - 1) + 1 - n, 0)
        for count, s, d, k, n in zip(counts, strides, dilations, sizes, space, strict=True)
    ]
    ends = tuple((total // 2, total - total // 2) for total in zeros)
    layer = double(cls(2, 3, sizes, strides, "same", dilations))
    told = double(cls(2, 3, sizes, strides, ends, dilations))
    x = normal(4, 2, *space)
    assert layer.forward(x).shape == (4, 3, *counts)
    agree(run(layer, x), run(told, x), 0)


@pytest.mark.parametrize("cls", TRANSPOSES)
def test_transposed_same_makes_y_stride_times_as_long_and_leads_back(cls):
    for size, stride, dilation in [(3, 2, 1), (2, 5, 1), (4, 3, 2), (1, 2, 1), (5, 1, 1)]:
        options = {"stride": stride, "padding": "same", "dilation": dilation, "bias": False}
        layer = double(cls(2, 3, size, **options))
        correlation = {1: nn.Correlation1d, 2: nn.Correlation2d}[cls.space]
        back = double(correlation(3, 2, size, **options))
        back.params["W"] = layer.params["W"]
        x = normal(4, 2, *(3, 4)[: cls.space])
        y = layer.forward(x)
        assert y.shape == (4, 3, *(n * stride for n in x.shape[2:]))
        dy = normal(*y.shape, seed=5)
        numeric.close(layer.backward(dy)[0], back.forward(dy), 1e-13)
        numeric.check_layer(layer, x)


@pytest.mark.parametrize("cls", TRANSPOSES)
def test_output_padding_is_less_than_a_step(cls):
    assert (
        cls(1, 1, 3, 2, 1, output_padding=1).forward(np.ones((1, 1, *[4] * cls.space))).shape[2]
        == 8
    )
    for wrong, options in [(2, {"stride": 2}), (3, {"dilation": 3}), (1, {})]:
        with pytest.raises(ValueError, match=f"{cls.__name__} expected output_padding of at most"):
            cls(1, 1, 3, output_padding=wrong, **options)
    with pytest.raises(ValueError, match='no output_padding with padding="same"'):
        cls(1, 1, 3, 2, "same", output_padding=1)
    with pytest.raises(ValueError, match="expected output_padding to be an int of at least 0"):
        cls(1, 1, 3, 2, output_padding=-1)


@every_layer
def test_arguments_out_of_their_range_are_refused_by_name(cls):
    name = cls.__name__
    for wrong in (0, -2, 1.5):
        with pytest.raises(ValueError, match=f"{name} expected stride to be a positive int"):
            cls(1, 8, 3, stride=wrong)
        with pytest.raises(ValueError, match=f"{name} expected kernel_size to be a positive int"):
            cls(1, 8, wrong)
    for channels in ((0, 8), (1, 0), (-1, 8)):
        with pytest.raises(ValueError, match=f"{name} expected channels of at least 1"):
            cls(*channels, 3)
    with pytest.raises(ValueError, match=f"{name} expected padding to be"):
        cls(1, 8, 3, padding=-1)
    with pytest.raises(ValueError, match=f'{name} expected padding="valid", "same" or "full"'):
        cls(1, 8, 3, padding="reflect")
    with pytest.raises(ValueError, match=f"{name}.* expected dy of the shape of y"):
        layer = cls(1, 8, 3)
        layer.forward(np.zeros((2, 1, *[5] * cls.space)))
        layer.backward(np.zeros((2, 8, *[1] * cls.space)))
