"""Adaptive and global pooling, padding and linear upsampling: against torch, at ties, at ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric
from tests.against_torch import agrees
from tests.passes import normal

BATCH, CHANNELS, SEED = st.integers(0, 3), st.integers(1, 3), st.integers(0, 999)
many = settings(max_examples=300, deadline=None, derandomize=True)


def axes(most, *numbers):
    """One to `most` axes of space: a length of 1 to 9 and a draw of each of `numbers` for each."""
    each = st.tuples(st.integers(1, 9), *numbers)
    return st.lists(each, min_size=1, max_size=most)


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["Avg", "Max"])
def test_adaptive_pooling_agrees_with_torch(kind):
    torch = pytest.importorskip("torch")

    @many
    @given(batch=BATCH, channels=CHANNELS, space=axes(2, st.integers(1, 7)), seed=SEED)
    def check(batch, channels, space, seed):
        lengths, sizes = zip(*space, strict=True)
        layer = getattr(nn, f"Adaptive{kind}Pool{len(space)}d")(sizes)
        function = getattr(torch.nn.functional, f"adaptive_{kind.lower()}_pool{len(space)}d")
        x = normal(max(batch, int(kind == "Max")), channels, *lengths, seed=seed)
        agrees(torch, layer, lambda p, x: function(x, sizes), x, seed=seed)

    check()


@pytest.mark.torch
def test_the_global_maximum_agrees_with_torch():
    torch = pytest.importorskip("torch")

    @many
    @given(batch=BATCH, channels=CHANNELS, space=axes(3), seed=SEED)
    def check(batch, channels, space, seed):
        x = normal(batch, channels, *(length for (length,) in space), seed=seed)
        agrees(torch, nn.GlobalMaxPool(), lambda p, x: x.flatten(2).amax(2), x, seed=seed)

    check()


@pytest.mark.torch
@pytest.mark.parametrize("mode", ["zeros", "reflect", "edge"])
def test_padding_agrees_with_torch(mode):
    torch = pytest.importorskip("torch")
    name = {"zeros": "constant", "reflect": "reflect", "edge": "replicate"}[mode]

    @many
    @given(batch=BATCH, channels=CHANNELS, space=axes(3, st.integers(0, 8), st.integers(0, 8)))
    def check(batch, channels, space):
        lengths, *ends = zip(*space, strict=True)
        if mode == "reflect":
            ends = [[min(end, n - 1) for end, n in zip(e, lengths, strict=True)] for e in ends]
        widths = list(zip(*ends, strict=True))
        flat = [end for pair in reversed(widths) for end in pair]
        x = normal(max(batch, 1), channels, *lengths, seed=channels)
        pad = torch.nn.functional.pad
        agrees(torch, nn.Pad(widths, mode), lambda p, x: pad(x, flat, name), x, seed=batch)

    check()


@pytest.mark.torch
def test_linear_upsampling_agrees_with_torch():
    torch = pytest.importorskip("torch")

    @many
    @given(batch=BATCH, channels=CHANNELS, space=axes(3, st.integers(1, 5)), seed=SEED)
    def check(batch, channels, space, seed):
        lengths, factors = zip(*space, strict=True)
        mode = ("linear", "bilinear", "trilinear")[len(space) - 1]
        options = {"scale_factor": tuple(map(float, factors)), "mode": mode, "align_corners": False}
        interpolate = torch.nn.functional.interpolate
        x = normal(max(batch, 1), channels, *lengths, seed=seed)
        layer = nn.Upsample(factors, mode="linear")
        agrees(torch, layer, lambda p, x: interpolate(x, **options), x, seed=seed)

    check()


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.AdaptiveAvgPool1d(3), (2, 3, 7)),
        (nn.AdaptiveAvgPool2d((2, 5)), (2, 3, 6, 4)),
        (nn.AdaptiveMaxPool1d(3), (2, 3, 7)),
        (nn.AdaptiveMaxPool2d((2, 5)), (2, 3, 6, 4)),
        (nn.GlobalMaxPool(), (2, 3, 4, 5)),
        (nn.Pad(((1, 2), (3, 0)), "reflect"), (2, 3, 4, 5)),
        (nn.Pad(((1, 2), (7, 0)), "edge"), (2, 3, 4, 5)),
        (nn.Pad(2), (2, 3, 4)),
        (nn.Upsample((2, 3), "linear"), (2, 3, 4, 5)),
    ],
    ids=repr,
)
def test_gradients_equal_central_differences(layer, shape):
    for seed in range(3):
        numeric.check_layer(layer, normal(*shape, seed=seed), seed=seed)


def test_where_the_size_divides_the_length_the_windows_are_those_of_pooling():
    x = normal(2, 3, 12, 10)
    for adaptive, fixed in [
        (nn.AdaptiveAvgPool2d((3, 5)), nn.AvgPool2d((4, 2))),
        (nn.AdaptiveMaxPool2d((3, 5)), nn.MaxPool2d((4, 2))),
    ]:
        y = adaptive.forward(x)
        numeric.close(y, fixed.forward(x), 1e-14)
        dy = normal(*y.shape, seed=1)
        numeric.close(adaptive.backward(dy)[0], fixed.backward(dy)[0], 1e-14)


def test_of_equally_large_elements_the_first_wins_row_by_row():
    x = np.array([[[[0.0, 3.0, 1.0], [3.0, 3.0, 2.0]]]])
    for layer in (nn.GlobalMaxPool(), nn.AdaptiveMaxPool2d(1)):
        y = layer.forward(x)
        dx = layer.backward(np.full(y.shape, 5.0))[0]
        np.testing.assert_array_equal(dx, [[[[0, 5, 0], [0, 0, 0]]]])


def test_nan_wins():
    x = np.array([[[0.0, np.nan, 7.0, 1.0]]])
    for layer in (nn.GlobalMaxPool(), nn.AdaptiveMaxPool1d(2)):
        y = layer.forward(x)
        assert np.isnan(y.ravel()[0])
        dx = layer.backward(np.ones(y.shape))[0]
        assert dx[0, 0, 1] == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.Pad(-1), "Pad expected an int of at least 0.*Index takes places away"),
        (lambda: nn.Pad(1, "wrap"), 'mode="zeros", "reflect" or "edge", received \'wrap\''),
        (lambda: nn.Pad((1, (2, 3, 4))), "Pad expected"),
        (lambda: nn.Pad("a"), "Pad expected"),
        (lambda: nn.Pad(()), "Pad expected"),
        (
            lambda: nn.Pad((1, 2), "edge").forward(np.ones((2, 3, 4))),
            r"write Pad\(\(\(1, 2\),\), mode='edge'\) for the ends of a signal",
        ),
        (lambda: nn.Pad((1, 2)).forward(np.ones((2, 3, 4, 5, 6))), "one entry per axis of space"),
        (lambda: nn.Pad(1).forward(np.ones((2, 3))), r"Pad\(1\) expected \(batch, channels\) and"),
        (
            lambda: nn.Pad(((0, 0), (1, 4)), "reflect").forward(np.ones((2, 3, 4, 4))),
            r"0 x 5 places to copy from, received \(2, 3, 4, 4\); pad less",
        ),
        (lambda: nn.Pad(1, "edge").forward(np.ones((2, 3, 0))), "1 places to copy from"),
        (lambda: nn.AdaptiveAvgPool2d(0), "AdaptiveAvgPool2d expected size to be a positive int"),
        (lambda: nn.AdaptiveMaxPool1d(2).forward(np.ones((2, 3))), r"\(batch, channels, length\)"),
        (lambda: nn.AdaptiveMaxPool1d(2).forward(np.ones((2, 3, 0))), "none of them empty"),
        (lambda: nn.GlobalMaxPool().forward(np.ones((2, 3))), "with places to look at"),
        (lambda: nn.Upsample(2, "cubic"), 'Upsample expected mode="nearest" or "linear"'),
    ],
)
def test_misuse_names_the_remedy(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_is_printed_builds_the_layer_again():
    for text in (
        "Pad(2)",
        "Pad((1, (0, 2)), mode='edge')",
        "AdaptiveAvgPool2d(3)",
        "AdaptiveMaxPool2d((3, 4))",
        "GlobalMaxPool()",
        "Upsample((2, 3), mode='linear')",
    ):
        assert repr(eval(text, vars(nn).copy())) == text
