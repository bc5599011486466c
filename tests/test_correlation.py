"""Correlation, convolution and their transpose: against torch, a textbook, and differences.

What every layer promises is tested by test_layers.py; the facts behind the gradients by
test_convolution_proofs.py; where the windows stand by test_windows.py.
"""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from nnscratch.initializers import he_normal
from tests import numeric, textbook_correlation
from tests.passes import double, normal, run

CORRELATIONS = [nn.Correlation1d, nn.Correlation2d, nn.Convolution1d, nn.Convolution2d]
TRANSPOSES = [nn.ConvTranspose1d, nn.ConvTranspose2d]
every_correlation = pytest.mark.parametrize("cls", CORRELATIONS)
every_transpose = pytest.mark.parametrize("cls", TRANSPOSES)
every_layer = pytest.mark.parametrize("cls", [*CORRELATIONS, *TRANSPOSES])
ORDERS = ["C", "F", "samples innermost", "apart", "backwards"]


equal = np.testing.assert_array_equal


def agree(found, expected, tolerance):
    """Equal y, dx and every gradient that there is."""
    numeric.close(found[0], expected[0], tolerance)
    numeric.close(found[1], expected[1], tolerance)
    for name, grad in found[2].items():
        numeric.close(grad, expected[2][name], tolerance)


def in_memory(x, order):
    """A copy of x whose numbers lie in another order."""
    if order == "F":
        return np.array(x, order="F")
    if order == "samples innermost":
        axes = innermost(x)
        return np.array(x.transpose(axes), order="C").transpose(np.argsort(axes))
    if order == "apart":
        return np.repeat(x, 2, axis=-1)[..., ::2]
    if order == "backwards":
        return np.flip(np.array(np.flip(x), order="C"))
    return np.array(x, order="C")


def innermost(x):
    """The axes (H, C, W, N) of an image, (C, W, N) of a signal."""
    return (2, 1, 3, 0) if x.ndim == 4 else (1, 2, 0)


# Any configuration -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Configuration:
    """Arguments of a layer, one of each per axis, and what to feed it."""

    batch: int
    channels: tuple[int, int]
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    space: tuple[int, ...]
    bias: bool
    order: str
    seed: int
    groups: int = 1
    output_padding: tuple[int, ...] = (0, 0)

    def layer(self, cls):
        options = {"stride": self.stride, "padding": self.padding, "bias": self.bias}
        options |= {"dilation": self.dilation}
        if cls in TRANSPOSES:
            options |= {"output_padding": self.output_padding[: cls.space]}
        else:
            options |= {"groups": self.groups}
        return double(cls(*self.channels, self.kernel_size, **options), self.seed)

    def input(self):
        return in_memory(normal(self.batch, self.channels[0], *self.space), self.order)


def has_room(cls, length, size, stride, before, after, dilation):
    """Whether y has a first element."""
    if cls in TRANSPOSES:
        return (length - 1) * stride + dilation * (size - 1) + 1 > before + after
    return length + before + after > dilation * (size - 1)


@st.composite
def configurations(draw, cls, plain=False):
    """Windows that do not divide x, kernels as large as x, strides over the kernel: all there."""
    small, zeros = st.integers(1, 4), st.sampled_from([0, 0, 1, 2, 3])
    axes = []
    for _ in range(cls.space):
        size, stride, dilation = draw(st.tuples(small, small, small))
        dilation = 1 if cls in TRANSPOSES and plain else dilation
        before, after = draw(st.tuples(zeros, zeros))
        length = 1
        while not has_room(cls, length, size, stride, before, after, dilation):
            length += 1
        length += draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5]))
        axes.append((size, stride, (before, after), dilation, length))
    groups = 1 if plain or cls in TRANSPOSES else draw(st.sampled_from([1, 1, 2, 3]))
    channels = tuple(n * groups for n in draw(st.tuples(small, small)))
    longer = [st.integers(0, 0 if plain else max(axis[1], axis[3]) - 1) for axis in axes]
    return Configuration(
        draw(st.sampled_from([0, 1, 2, 3, 4, 5])),
        channels,
        *zip(*axes, strict=True),
        draw(st.booleans()),
        draw(st.sampled_from(ORDERS)),
        draw(st.integers(0, 2**16)),
        groups,
        draw(st.tuples(*longer)),
    )


def of_torch(torch, layer, configuration, x):
    """y of torch's function, with the padding outside of it since torch's has one per axis."""
    name, axes = type(layer).__name__, layer.space
    functional = torch.nn.functional
    tx, *tensors = (
        torch.tensor(np.array(array), requires_grad=True) for array in (x, *layer.params.values())
    )
    W, b = (*tensors, None)[:2]
    if name.startswith("ConvTranspose"):
        function = getattr(functional, f"conv_transpose{axes}d")
        more = {"output_padding": configuration.output_padding[:axes]}
        more |= {"dilation": configuration.dilation}
        if all(before == after for before, after in configuration.padding):
            padding = [before for before, _ in configuration.padding]
            y = function(tx, W, b, configuration.stride, padding, **more)
        else:
            y = function(tx, W, b, configuration.stride, **more)
            inside = textbook_correlation.without(configuration.padding, y.shape[2:])
            y = y[(..., *inside)]
    else:
        ends = [end for pair in reversed(configuration.padding) for end in pair]
        kernel = W.flip(tuple(range(2, W.ndim))) if name.startswith("Convolution") else W
        y = getattr(functional, f"conv{axes}d")(
            functional.pad(tx, ends),
            kernel,
            b,
            stride=configuration.stride,
            dilation=configuration.dilation,
            groups=configuration.groups,
        )
    return y, tx, dict(zip(layer.params, tensors, strict=True))


@pytest.mark.torch
@every_layer
def test_values_and_gradients_agree_with_torch(cls):
    torch = pytest.importorskip("torch")

    @settings(max_examples=300, deadline=None)
    @given(configurations(cls))
    def agrees(configuration):
        layer, x = configuration.layer(cls), configuration.input()
        ty, tx, tensors = of_torch(torch, layer, configuration, x)
        y = layer.forward(x)
        dy = in_memory(normal(*y.shape, seed=5), configuration.order)
        ty.backward(torch.tensor(np.array(dy)))
        expected = (
            ty.detach().numpy(),
            tx.grad.numpy(),
            {name: tensor.grad.numpy() for name, tensor in tensors.items()},
        )
        dx, grads = layer.backward(dy)
        assert list(grads) == list(tensors)
        agree((y, dx, grads), expected, 1e-10)
        y = layer.astype("f4").forward(x.astype("f4"))
        dx, grads = layer.backward(dy.astype("f4"))
        assert {a.dtype for a in (y, dx, *grads.values())} == {np.dtype("f4")}
        agree((y, dx, grads), expected, 1e-4)

    agrees()


@every_layer
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_values_and_gradients_are_those_of_the_textbook(cls, data):
    configuration = data.draw(configurations(cls, plain=True))
    layer, x = configuration.layer(cls), configuration.input()
    W = layer.params["W"]
    arguments = [W, layer.params.get("b", np.zeros(configuration.channels[1]))]
    arguments += [configuration.stride, configuration.padding]
    if cls in CORRELATIONS:
        arguments += [configuration.dilation]
    textbook = getattr(textbook_correlation, cls.__name__.removesuffix("1d").removesuffix("2d"))
    book = textbook(*arguments)
    y = layer.forward(x)
    dy = in_memory(normal(*y.shape, seed=5), configuration.order)
    expected = book.forward_pass(x), book.backward_pass(dy, x), book.gradient_pass(dy, x)
    agree((y, *layer.backward(dy)), expected, 1e-12)


@every_layer
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_gradients_equal_central_differences(cls, data):
    configuration = data.draw(configurations(cls))
    numeric.check_layer(configuration.layer(cls), configuration.input())


# Golden values ---------------------------------------------------------------------------------


def with_weights(layer, W, b=None):
    layer.astype("f8").params["W"] = W
    if b is not None:
        layer.params["b"] = b
    return layer


def test_same_with_an_even_kernel_puts_the_extra_zero_at_the_end():
    layer = with_weights(nn.Correlation1d(1, 1, 4, padding="same"), [[[1, 10, 100, 1000]]])
    # 0 [1 2 3 4] 0 0: one zero before, two after
    equal(layer.forward([[[1.0, 2.0, 3.0, 4.0]]]), [[[3210, 4321, 432, 43]]])
    dx, grads = layer.backward([[[1.0, 0.0, 0.0, 2.0]]])
    # dy_0 = 1 spreads w over the places -1 ... 2, dy_3 = 2 over the places 2 ... 5
    equal(dx, [[[10, 100, 1000 + 2 * 1, 2 * 10]]])
    equal(grads["W"], [[[0 + 2 * 3, 1 + 2 * 4, 2 + 0, 3 + 0]]])
    equal(grads["b"], [1 + 2])


def test_same_with_an_even_kernel_on_an_image():
    layer = with_weights(nn.Correlation2d(1, 1, 2, padding="same"), [[[[1, 10], [100, 1000]]]])
    # 1 2 0
    # 3 4 0
    # 0 0 0
    equal(layer.forward([[[[1.0, 2.0], [3.0, 4.0]]]]), [[[[4321, 402], [43, 4]]]])


def test_every_output_channel_sums_over_all_input_channels_and_adds_its_bias():
    layer = nn.Correlation1d(2, 3, 2)
    with_weights(layer, [[[1, 2], [3, 4]], [[1, 0], [0, 0]], [[0, 0], [0, 1]]], [0, 100, 1000])
    y = layer.forward([[[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]])
    # y_0 = (1·1 + 2·2 + 3·10 + 4·20, 1·2 + 2·3 + 3·20 + 4·30)
    equal(y, [[[115, 188], [101, 102], [1020, 1030]]])


def test_stride_and_dilation_pick_their_elements():
    layer = with_weights(nn.Correlation1d(1, 1, 2, stride=3, dilation=2), [[[1, 10]]])
    equal(layer.forward([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]]]), [[[31, 64]]])
    dx, grads = layer.backward([[[1.0, 2.0]]])
    equal(dx, [[[1, 0, 10, 2, 0, 20, 0]]])  # no window looks at the last element
    equal(grads["W"], [[[1 + 2 * 4, 3 + 2 * 6]]])


def test_convolution_meets_the_kernel_from_its_end():
    layer = with_weights(nn.Convolution2d(1, 1, 2, bias=False), [[[[1, 10], [100, 1000]]]])
    equal(layer.forward([[[[1.0, 2.0], [3.0, 4.0]]]]), [[[[1000 + 200 + 30 + 4]]]])
    dx, grads = layer.backward([[[[2.0]]]])
    equal(dx, [[[[2000, 200], [20, 2]]]])
    equal(grads["W"], [[[[2 * 4, 2 * 3], [2 * 2, 2 * 1]]]])


def test_transpose_spreads_each_element_by_the_kernel_and_cuts_the_padding_off():
    layer = nn.ConvTranspose1d(1, 1, 3, stride=2, padding=(1, 2))
    with_weights(layer, [[[1, 10, 100]]], [0.5])
    # 1 10 100            1·w at place 0
    #        2 20 200     2·w at place 2; of the sum 1 10 102 20 200 the ends are cut off
    equal(layer.forward([[[1.0, 2.0]]]), [[[10.5, 102.5]]])


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


# Memory ----------------------------------------------------------------------------------------


def example(cls, kernel_size=3, **options):
    """A layer and an input of pairwise distinct sizes."""
    layer = double(cls(3, 4, kernel_size, **options))
    return layer, normal(5, 3, *(8, 7)[: cls.space])


@every_layer
@pytest.mark.parametrize("options", [{}, {"kernel_size": 1}, {"stride": 2, "padding": 1}], ids=str)
def test_arrays_are_views_with_the_samples_innermost(cls, options):
    layer, x = example(cls, **options)
    y, dx, _ = run(layer, x)
    for array in (y, dx):
        assert array.transpose(innermost(array)).flags.c_contiguous


@every_layer
@pytest.mark.parametrize("order", ORDERS)
def test_results_do_not_depend_on_the_order_of_memory(cls, order):
    layer, x = example(cls, stride=2, padding=1)
    expected = run(layer, x)
    dy = normal(*expected[0].shape, seed=5)
    same, same_dy = in_memory(x, order), in_memory(dy, order)
    same.flags.writeable = same_dy.flags.writeable = False
    agree((layer.forward(same), *layer.backward(same_dy)), expected, 1e-12)
    equal(same, x)
    equal(same_dy, dy)


@every_layer
@pytest.mark.parametrize("options", [{}, {"kernel_size": 1, "bias": False}], ids=str)
@pytest.mark.parametrize("samples", [1, 5])
def test_results_share_no_memory_with_what_is_still_needed(cls, options, samples):
    layer, x = example(cls, **options)
    x = in_memory(x[:samples], "samples innermost")
    before = x.copy()
    y = layer.forward(x)
    dy = in_memory(normal(*y.shape, seed=5), "samples innermost")
    y[...] = np.nan
    dx, grads = layer.backward(dy)
    kept = dx.copy(), {name: grad.copy() for name, grad in grads.items()}
    dx[...] = np.nan
    for grad in grads.values():
        grad[...] = np.nan
    again, grads_again = layer.backward(dy)
    equal(again, kept[0])
    for name, grad in grads_again.items():
        equal(grad, kept[1][name])
    equal(x, before)
    equal(dy, normal(*y.shape, seed=5))


# One layer by another --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (nn.Correlation1d, nn.Correlation2d),
        (nn.Convolution1d, nn.Convolution2d),
        (nn.ConvTranspose1d, nn.ConvTranspose2d),
    ],
)
def test_a_signal_is_an_image_of_height_one(one, two):
    signal = double(one(3, 4, 3, stride=2, padding=(1, 2)))
    image = two(3, 4, (1, 3), stride=(1, 2), padding=(0, (1, 2))).astype("f8")
    image.params.update({"W": signal.params["W"][:, :, np.newaxis], "b": signal.params["b"]})
    x = normal(5, 3, 8)
    y, dx, grads = run(image, x[:, :, np.newaxis])
    expected = y[:, :, 0], dx[:, :, 0], {"W": grads["W"][:, :, 0], "b": grads["b"]}
    agree(run(signal, x), expected, 1e-13)


@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1, "dilation": 2}], ids=str)
def test_convolution_is_correlation_with_the_kernel_flipped(axes, options):
    space = tuple(range(2, axes + 2))
    classes = [nn.Correlation1d, nn.Correlation2d], [nn.Convolution1d, nn.Convolution2d]
    correlation, convolution = (double(kind[axes - 1](3, 4, 3, **options)) for kind in classes)
    correlation.params["W"] = np.flip(convolution.params["W"], space)
    x = normal(5, 3, *(8, 9)[:axes])
    y, dx, grads = run(correlation, x)
    agree(run(convolution, x), (y, dx, {**grads, "W": np.flip(grads["W"], space)}), 1e-13)


@every_transpose
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_transpose_is_the_adjoint_of_correlation(cls, data):
    configuration = data.draw(configurations(cls, plain=True))
    transpose, x = configuration.layer(cls), configuration.input()
    if configuration.bias:
        transpose.params["b"] = 0 * transpose.params["b"]
    correlation = [nn.Correlation1d, nn.Correlation2d][cls.space - 1](
        *reversed(configuration.channels),
        configuration.kernel_size,
        configuration.stride,
        configuration.padding,
        bias=False,
    ).astype("f8")
    correlation.params["W"] = transpose.params["W"]
    y = transpose.forward(x)
    z = normal(*y.shape, seed=3)
    back = correlation.forward(z)
    numeric.close(np.vdot(y, z), np.vdot(x, back), 1e-11)  # ⟨ConvT(x), z⟩ = ⟨x, Corr(z)⟩
    dz, grads = correlation.backward(x)  # forward of the one is dx of the other
    numeric.close(y, dz, 1e-12)
    dx, transpose_grads = transpose.backward(z)
    numeric.close(dx, back, 1e-12)
    numeric.close(transpose_grads["W"], grads["W"], 1e-12)


@every_layer
def test_samples_are_independent_and_a_batch_adds_their_gradients_up(cls):
    layer, x = example(cls, padding=1)
    y, dx, grads = run(layer, x)
    dy = normal(*y.shape, seed=5)
    total = {name: 0 * grad for name, grad in grads.items()}
    for i in range(len(x)):
        numeric.close(layer.forward(x[i : i + 1]), y[i : i + 1], 1e-13)
        one_dx, one = layer.backward(dy[i : i + 1])
        numeric.close(one_dx, dx[i : i + 1], 1e-13)
        total = {name: total[name] + one[name] for name in total}
    agree((y, dx, grads), (y, dx, total), 1e-12)
