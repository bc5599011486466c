"""Arguments of pooling and upsampling, and what is said of wrong ones."""

import numpy as np
import pytest

from nnscratch.layers.spatial.average_pooling import AvgPool1d, AvgPool2d
from nnscratch.layers.spatial.global_pooling import GlobalAvgPool
from nnscratch.layers.spatial.max_pooling import MaxPool1d, MaxPool2d
from nnscratch.layers.spatial.upsampling import Upsample
from tests.pooling_cases import every_pooling

# Errors and names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("layer", "shape", "message"),
    [
        (
            MaxPool2d(2),
            (9, 28, 28),
            r"MaxPool2d\(2\) expected \(batch, channels, height, width\), received \(9, 28, 28\); "
            r"\(28, 28\) images need a channel axis: x\[:, np.newaxis\]; one sample is a batch of "
            r"one: x\[np.newaxis\]$",
        ),
        (MaxPool2d(2), (28, 28), r"received \(28, 28\); give x the axes batch and channels"),
        (MaxPool2d(2), (9, 3, 4, 28, 28), r"give x the axes batch and channels"),
        (AvgPool1d(2), (9, 28), r"\(batch, channels, length\).* signals need a channel axis: x\[:"),
        (AvgPool1d(2), (9, 3, 28, 28), r"AvgPool1d\(2\) expected \(batch, channels, length\)"),
        (
            MaxPool2d(2),
            (9, 28, 28, 1),
            r"a height x width of at least 2 x 2, received \(9, 28, 28, 1\); take a smaller "
            r"kernel_size, or if the channels stand last: np.moveaxis\(x, -1, 1\)$",
        ),
        (
            AvgPool2d((5, 3), padding=1),
            (9, 3, 2, 8),
            r"height x width of at least 3 x 1, received \(9, 3, 2, 8\); take a smaller",
        ),
        (MaxPool1d(4), (9, 2, 3), r"a length of at least 4, received \(9, 2, 3\); take a smaller"),
        (MaxPool1d(2, padding=1), (9, 2, 0), r"a length of at least 1, received \(9, 2, 0\)"),
        (GlobalAvgPool(), (9, 3), r"GlobalAvgPool\(\) expected \(batch, channels, \.\.\.\)"),
        (GlobalAvgPool(), (9, 3, 0, 4), r"with places to look at, received \(9, 3, 0, 4\)"),
        (Upsample(2), (9, 3), r"Upsample\(2\) expected \(batch, channels, \.\.\.\)"),
        (
            Upsample((2, 2)),
            (9, 28, 28),
            r"Upsample\(\(2, 2\)\) expected \(batch, channels\) and 2 axes of space, received "
            r"\(9, 28, 28\); give x a channel axis: x\[:, np.newaxis\]$",
        ),
        (Upsample((2, 2)), (9, 3, 4, 4, 4), r"one factor per axis of space, or one int for all$"),
    ],
)
def test_an_input_that_does_not_fit_is_refused_with_the_remedy(layer, shape, message):
    with pytest.raises(ValueError, match=message):
        layer.forward(np.zeros(shape))


@every_pooling
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "expected kernel_size to be a positive int"),
        ((2.5,), "expected kernel_size to be a positive int"),
        ((2, 0), "expected stride to be a positive int"),
        ((2, None, -1), "expected padding to be an int of at least 0"),
        (
            (2, None, 2),
            r"expected padding of at most half the kernel_size 2, received 2; a window",
        ),
        ((3, 1, "full"), r"expected padding of at most half the kernel_size 3, received 'full'"),
        ((3, None, 0, False, 0), "expected dilation to be a positive int"),
        ((2, 1, "smae"), 'expected padding="valid", "same" or "full"'),
    ],
)
def test_arguments_out_of_range_are_refused(cls, arguments, message):
    with pytest.raises(ValueError, match=f"^{cls.__name__} {message}"):
        cls(*arguments)


@pytest.mark.parametrize("padding", [(2, 0), (0, 2)])
def test_padding_of_either_end_is_at_most_half_the_window(padding):
    MaxPool1d(4, padding=padding)
    with pytest.raises(ValueError, match="at most half"):
        MaxPool1d(3, padding=padding)


@pytest.mark.parametrize("factor", [0, -1, 2.0, "2", None, (2, 0), (), (2, 1.5), [[2, 2]]])
def test_a_factor_is_a_positive_int(factor):
    with pytest.raises(ValueError, match="Upsample expected a positive int or one per axis"):
        Upsample(factor)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (MaxPool2d(2), "MaxPool2d(2)"),
        (MaxPool2d((2, 2), 2), "MaxPool2d(2)"),
        (MaxPool2d(2, (2, 1)), "MaxPool2d(2, stride=(2, 1))"),
        (MaxPool2d((3, 2), stride=2, padding=1), "MaxPool2d((3, 2), stride=2, padding=1)"),
        (AvgPool1d(4, 4, (1, 2)), "AvgPool1d(4, padding=(1, 2))"),
        (AvgPool2d(4, 1, "same"), "AvgPool2d(4, stride=1, padding=((1, 2), (1, 2)))"),
        (
            MaxPool2d(3, (1, 2), (1, (0, 1))),
            "MaxPool2d(3, stride=(1, 2), padding=((1, 1), (0, 1)))",
        ),
        (MaxPool2d(3, 2, "same"), "MaxPool2d(3, stride=2, padding='same')"),
        (MaxPool1d(3, ceil_mode=True, dilation=2), "MaxPool1d(3, ceil_mode=True, dilation=2)"),
        (
            AvgPool1d(3, 2, 1, count_padding=False),
            "AvgPool1d(3, stride=2, padding=1, count_padding=False)",
        ),
        (GlobalAvgPool(), "GlobalAvgPool()"),
        (Upsample([2, 3]), "Upsample((2, 3))"),
    ],
)
def test_a_layer_is_written_as_it_is_made(layer, name):
    assert repr(layer) == name
