"""Correlation, convolution and their transpose: against torch, a textbook, and differences.

What every layer promises is tested by test_layers.py; the facts behind the gradients by
test_convolution_proofs.py; where the windows stand by test_windows.py.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric, textbook_correlation
from tests.correlation_cases import (
    CORRELATIONS,
    ORDERS,
    agree,
    configurations,
    equal,
    every_layer,
    every_transpose,
    in_memory,
    innermost,
)
from tests.passes import double, normal, run


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
