"""What the tests of correlation share."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import strategies as st

import nnscratch as nn
from tests import numeric
from tests.passes import double, normal

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
