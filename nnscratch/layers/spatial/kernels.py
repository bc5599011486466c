"""Learned kernels: what correlation, convolution and their transpose have in common.

Parameters, windows, checks and the way between a user's (batch, channels, space) and the rows of
`im2col.py`. A signal is an image of height 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from nnscratch.initializers import Initializer, drawn
from nnscratch.kinds import checks_kinds
from nnscratch.layers.base import Grads, Layer, floating
from nnscratch.layers.spatial.im2col import Axes, bias_gradient, samples_first, samples_last
from nnscratch.layers.spatial.windows import (
    Padding,
    Windows,
    one_or_all,
    windows_per_axis,
    written_padding,
)
from nnscratch.layers.wider import narrowed, widened
from nnscratch.layers.written import written


class Kernels(Layer):
    """Kernels W and biases b that move along one or two axes; not a layer by itself.

    A subclass says how many axes of space there are (`space`), gives the shape of W, and writes
    the three passes.
    """

    space: int
    flipped = False  # whether the kernel is applied from its end to its start

    @checks_kinds
    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int],
        padding: Padding,
        dilation: int | Sequence[int],
        bias: bool,
        rng: Any,
        initializer: Initializer,
        groups: int = 1,
    ) -> None:
        name = type(self).__name__
        self.in_channels, self.out_channels = index(in_channels), index(out_channels)
        if min(self.in_channels, self.out_channels) < 1:
            raise ValueError(
                f"{name} expected channels of at least 1, received {in_channels} and {out_channels}"
            )
        self.groups = index(groups)
        if self.groups < 1 or self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"{name} expected groups to be a divisor of both numbers of channels, "
                f"{in_channels} and {out_channels}, received {groups}"
            )
        self.windows = windows_per_axis(name, self.space, kernel_size, stride, padding, dilation)
        shape = (*self._channels_of_W(), *(axis.size for axis in self.windows))
        W = drawn(name, initializer, shape, rng)
        # the channels of axis 1 innermost in memory: see im2col.as_matrix
        params = {"W": np.moveaxis(np.ascontiguousarray(np.moveaxis(W, 1, -1)), -1, 1)}
        if bias:
            params["b"] = np.zeros(self.out_channels, W.dtype)
        self.params = params

    def _channels_of_W(self) -> tuple[int, int]:
        return self.out_channels, self.in_channels // self.groups

    def kernel(self) -> np.ndarray:
        """W as (., ., kh, kw), in the order in which its elements meet those of x."""
        W = self._flip(widened(self.params["W"]))
        return W if self.space == 2 else W[:, :, np.newaxis]

    def _flip(self, W: np.ndarray) -> np.ndarray:
        return np.flip(W, axis=tuple(range(2, W.ndim))) if self.flipped else W

    def image_axes(self, space: Sequence[int]) -> Axes:
        """The windows along a height and a width of this size; a signal has height 1."""
        axes = (Windows(1), *self.windows)[-2:]
        vertical, horizontal = (axis.on(n) for axis, n in zip(axes, space, strict=True))
        return vertical, horizontal

    @property
    def kernel_size(self) -> Any:
        return one_or_all([axis.size for axis in self.windows])

    @property
    def stride(self) -> Any:
        return one_or_all([axis.stride for axis in self.windows])

    @property
    def padding(self) -> Any:
        return written_padding(self.windows)

    @property
    def dilation(self) -> Any:
        return one_or_all([axis.dilation for axis in self.windows])

    @property
    def bias(self) -> bool:
        return "b" in self.params

    def rows_of(self, x: Any) -> np.ndarray:
        """Checked input as (H, C, W, N)."""
        x = floating(x, self.params["W"].dtype)
        if x.ndim != self.space + 2 or x.shape[1] != self.in_channels:
            axes = ("length",) if self.space == 1 else ("height", "width")
            self.refuse(f"(batch, {self.in_channels}, {', '.join(axes)})", x, self._remedy(x))
        return self.rows(x)

    def rows(self, x: np.ndarray) -> np.ndarray:
        """(N, C, *space) as (H, C, W, N), in float32 where it is float16."""
        x = widened(x)
        return samples_last(x if self.space == 2 else x[:, :, np.newaxis])

    def from_rows(self, rows: np.ndarray) -> np.ndarray:
        """(H, C, W, N) as the view (N, C, *space), in the dtype of the parameters."""
        images = samples_first(rows.astype(self.params["W"].dtype, copy=False))
        return images if self.space == 2 else images[:, :, 0]

    def check_room(self, x: np.ndarray, axes: Axes) -> None:
        """Refuse rows of images that are smaller than the kernel."""
        if all(axis.count(n) for axis, n in zip(axes, x.shape[::2], strict=True)):
            return
        least = " x ".join(str(axis.least) for axis in self.windows)
        self.refuse(
            f"a {'length' if self.space == 1 else 'height x width'} of at least {least}",
            self.from_rows(x),
            "take a smaller kernel_size or more padding",
        )

    def add_bias(self, y: np.ndarray) -> np.ndarray:
        """y + b, written into the rows y, which must be fresh."""
        if "b" in self.params:
            y += self.params["b"][:, np.newaxis, np.newaxis]
        return y

    def gradients(self, dkernel: np.ndarray, dy: np.ndarray) -> Grads:
        """dW and db by name, from the gradient of `kernel()` and the rows of dy."""
        grads = {"W": self._flip(dkernel if self.space == 2 else dkernel[:, :, 0])}
        if "b" in self.params:
            grads["b"] = bias_gradient(dy)
        return narrowed(self.params["W"].dtype, None, grads)[1]

    def _remedy(self, x: np.ndarray) -> str:
        if x.ndim == self.space + 1 and x.shape[0] == self.in_channels:
            return "pass one sample as a batch of one: x[np.newaxis]"
        if x.ndim == self.space + 1 and x.shape[-1] == self.in_channels:
            return "one sample whose channels are last: np.moveaxis(x, -1, 0)[np.newaxis]"
        if x.ndim == self.space + 1 and self.in_channels == 1:
            return "give the samples a channel axis: x[:, np.newaxis]"
        if x.ndim == 2 and self.space == 2:
            return (
                "give x the axes batch and channels, then those of space; flat images get them by "
                f"x.reshape(len(x), {self.in_channels}, height, width)"
            )
        if x.ndim != self.space + 2:
            return "give x the axes batch and channels, then those of space"
        if x.shape[-1] == self.in_channels:
            return "channels are axis 1 here: np.moveaxis(x, -1, 1)"
        fewer = {"groups": 1} if x.shape[1] % self.groups else {}
        return f"make it {written(self, in_channels=x.shape[1], **fewer)}"

    def __repr__(self) -> str:
        return written(self)
